"""What a code of a cloud's API means, and the one error that comes of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from volact.cloud.base import Again, ApiError
from volact.errors import ErrorKind, one_line


class Meaning(msgspec.Struct, frozen=True):
    """What a code means; the API's own words follow.  The last two are those of ``ApiError``."""

    kind: ErrorKind
    words: str
    hint: str = ""
    again: Again = "never"
    about_one: bool = False


KEYS = Meaning("auth", "the API refused the credentials", "check the keys and their account")
CLOCK = Meaning("auth", "the API refused the signature's time", "set the clock of this machine")
BUSY = Meaning("connect", "the API has had too many requests", "try again later", "throttled")
INSIDE = Meaning("connect", "the API failed inside", "try again later", "unsure")
NO_WAY = Meaning(
    "connect", "the API cannot be reached", "check the network and the region", "unsure"
)
NO_INSTANCE = Meaning(
    "connect", "there is no such instance", "check id, region and account", about_one=True
)
UNTAKEN = Meaning("protocol", "the API does not take the request")


def error_of(code: str, text: object, meaning: Meaning, redact: Callable[[str], str]) -> ApiError:
    """A failure by its code, what that means and the API's own words, without secrets."""
    told = one_line(redact(str(text))) if text else ""
    return ApiError(
        meaning.kind,
        f"{meaning.words} ({one_line(code, 80)}{': ' if told else ''}{told})",
        meaning.hint,
        code=code,
        again=meaning.again,
        about_one=meaning.about_one,
    )
