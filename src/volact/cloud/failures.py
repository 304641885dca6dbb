"""What a code of a cloud's API means, and the one error that comes of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from volact.cloud.base import Again, ApiError
from volact.errors import ErrorKind, one_line
from volact.model.text import say


class Meaning(msgspec.Struct, frozen=True):
    """What a code means; the API's own words follow.  The last two are those of ``ApiError``."""

    kind: ErrorKind
    words: str
    hint: str = ""
    again: Again = "never"
    about_one: bool = False


KEYS = Meaning(
    "auth", say("the API refused the credentials"), say("check the keys and their account")
)
CLOCK = Meaning(
    "auth", say("the API refused the signature's time"), say("set the clock of this machine")
)
BUSY = Meaning(
    "connect", say("the API has had too many requests"), say("try again later"), "throttled"
)
INSIDE = Meaning("connect", say("the API failed inside"), say("try again later"), "unsure")
NO_WAY = Meaning(
    "connect", say("the API cannot be reached"), say("check the network and the region"), "unsure"
)
NO_INSTANCE = Meaning(
    "connect", say("there is no such instance"), say("check id, region and account"), about_one=True
)
UNTAKEN = Meaning("protocol", say("the API does not take the request"))


def error_of(code: str, text: object, meaning: Meaning, redact: Callable[[str], str]) -> ApiError:
    """A failure by its code, what that means and the API's own words, without secrets."""
    told = one_line(redact(str(text))) if text else ""
    return ApiError(
        meaning.kind,
        say(
            "{message} ({hint})",
            message=meaning.words,
            hint=f"{one_line(code, 80)}{': ' if told else ''}{told}",
        ),
        meaning.hint,
        code=code,
        again=meaning.again,
        about_one=meaning.about_one,
    )
