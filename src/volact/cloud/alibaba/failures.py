"""Failures of the SDK into the contract's error kinds: one table, used once."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from volact.cloud.base import ApiError
from volact.cloud.failures import (
    BUSY,
    CLOCK,
    INSIDE,
    KEYS,
    NO_INSTANCE,
    NO_WAY,
    UNTAKEN,
    Meaning,
    error_of,
)
from volact.model.text import say

_FORBIDDEN = Meaning(
    "auth",
    say("the credentials may not do this"),
    say("docs/ecs.md lists what the RAM policy must allow"),
)
_SOUGHT = Meaning(
    "auth", say("no credentials could be had"), say("docs/ecs.md says where they are sought")
)
_UNFIT = Meaning(
    "connect", say("the instance cannot be asked"), say("does it run?"), about_one=True
)
_WRONG_KIND = Meaning("agent", say("the instance is no Windows server"), about_one=True)

# By the API's code, else by the exception.  The first pattern that fits wins.
TABLE: tuple[tuple[str, Meaning], ...] = (
    (r"InvalidTimeStamp.*|IllegalTimestamp", CLOCK),
    (r"InvalidAccessKeyId.*|SignatureDoesNotMatch|IncompleteSignature|.*SecurityToken.*", KEYS),
    (r"Forbidden.*|NoPermission.*|UnauthorizedOperation|Unauthorized.*|.*\.RAM", _FORBIDDEN),
    (r"Throttling.*|.*FlowControl.*|TooManyRequests", BUSY),
    (r"InvalidInstance\.NotMatch|InvalidInstance\.OsTypeNotSupport.*", _WRONG_KIND),
    (r"InvalidInstance(?:Ids?)?\.(?:NotFound|Malformed)|InvalidInstanceNotFound", NO_INSTANCE),
    (r"InvalidInstance.*|IncorrectInstanceStatus.*|InstanceStatus.*|OperationDenied.*", _UNFIT),
    (r"InternalError|ServiceUnavailable.*|UnknownError|5\d\d", INSIDE),
    (r".*Credential.*|RefreshCredential.*", _SOUGHT),
    (r"RetryError|.*Connection.*|.*Timeout.*|.*SSL.*|.*Proxy.*", NO_WAY),
    (r"InvalidRegionId.*|RegionId\..*", Meaning("connect", say("there is no such region"))),
)


def as_failure(error: Exception, redact: Callable[[str], str], *, acts: bool = False) -> ApiError:
    """The one failure for any exception of an SDK call.

    Of a call that acts on instances, a policy may allow some and not others.
    """
    inner = getattr(error, "inner_exception", None) or error
    code = getattr(inner, "code", None)
    name = code if isinstance(code, str) and code not in ("", "None") else type(inner).__name__
    status = getattr(inner, "status_code", None)
    meaning = meaning_of(name)
    if meaning is UNTAKEN and isinstance(status, int) and status >= 500:
        meaning = INSIDE  # a gateway in between knows no codes
    if meaning is _FORBIDDEN and acts:
        meaning = msgspec.structs.replace(meaning, about_one=True)
    return error_of(name, getattr(inner, "message", None) or str(inner), meaning, redact)


def meaning_of(code: str) -> Meaning:
    """What a code means."""
    return next((means for form, means in TABLE if re.fullmatch(form, code)), UNTAKEN)
