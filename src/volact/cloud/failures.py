"""What a code of a cloud's API means, and the one error that comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from volact.cloud.base import Again, ApiError
from volact.errors import ErrorKind, one_line
from volact.model.text import say

_SHORTEST = 6  # of what is taken for a secret
_UNVERIFIED = re.compile(r"\[SSL: (CERTIFICATE_VERIFY_FAILED)\][^:]*: (.*?) \(_ssl")


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
UNREACHED = Meaning(
    "connect", say("the API cannot be reached"), say("check the network and the region"), "unsure"
)
NO_INSTANCE = Meaning(
    "connect", say("there is no such instance"), say("check id, region and account"), about_one=True
)
NO_REGION = Meaning("connect", say("there is no such region"))
WRONG_KIND = Meaning("agent", say("the instance is no Windows server"), about_one=True)
UNTRUSTED = Meaning(
    "host-key",
    say("the API's certificate is not trusted"),
    say("name its authority with REQUESTS_CA_BUNDLE, or check the endpoint"),
)
UNTAKEN = Meaning("protocol", say("the API does not take the request"))


def forbidden(page: str, policy: str) -> Meaning:
    """The credentials may not do this; which page tells what their policy needs."""
    hint = say("docs/{page}.md lists what the {policy} policy must allow", page=page, policy=policy)
    return Meaning("auth", say("the credentials may not do this"), hint)


def unfound(page: str) -> Meaning:
    """No credentials were found, or none could be renewed; which page tells where they can be."""
    hint = say("docs/{page}.md says where they are sought", page=page)
    return Meaning("auth", say("no credentials could be had"), hint)


def without(text: str, secrets: Iterable[object]) -> str:
    """A text in which no secret can be seen; what is no text, or too short for one, is none."""
    for secret in secrets:
        if isinstance(secret, str) and len(secret) >= _SHORTEST:
            text = text.replace(secret, "***")
    return text


def meaning_of(code: str, table: Sequence[tuple[str, Meaning]]) -> Meaning:
    """What a code means: the first pattern that fits wins."""
    return next((means for form, means in table if re.fullmatch(form, code)), UNTAKEN)


def error_of(
    code: str,
    text: object,
    meaning: Meaning,
    redact: Callable[[str], str],
    untrusted: Meaning = UNTRUSTED,
) -> ApiError:
    """A failure by its code, what that means and the API's own words, without secrets.

    That a certificate does not verify is known by OpenSSL's own word for it, however an
    SDK wraps it; ``untrusted`` is what that means.
    """
    if found := _UNVERIFIED.search(str(text or "")):
        meaning, code, text = untrusted, found[1], found[2]
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
