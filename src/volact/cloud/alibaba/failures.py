"""Failures of the SDK into the contract's error kinds: one table, used once."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from volact.cloud.base import ApiError
from volact.cloud.failures import (
    BUSY,
    CLOCK,
    INSIDE,
    KEYS,
    NO_INSTANCE,
    NO_REGION,
    UNREACHED,
    UNTAKEN,
    WRONG_KIND,
    Meaning,
    error_of,
    forbidden,
    meaning_of,
    unfound,
)
from volact.model.text import say

_FORBIDDEN = forbidden("ecs", "RAM")
_SOUGHT = unfound("ecs")
_UNFIT = Meaning(
    "connect", say("the instance cannot be asked"), say("does it run?"), about_one=True
)

# By the API's code, else by the exception.  The first pattern that fits wins.
TABLE: tuple[tuple[str, Meaning], ...] = (
    (r"InvalidTimeStamp.*|IllegalTimestamp", CLOCK),
    (r"InvalidAccessKeyId.*|SignatureDoesNotMatch|IncompleteSignature|.*SecurityToken.*", KEYS),
    (r"Forbidden.*|NoPermission.*|UnauthorizedOperation|Unauthorized.*|.*\.RAM", _FORBIDDEN),
    (r"Throttling.*|.*FlowControl.*|TooManyRequests", BUSY),
    (r"InvalidInstance\.NotMatch|InvalidInstance\.OsTypeNotSupport.*", WRONG_KIND),
    (r"InvalidInstance(?:Ids?)?\.(?:NotFound|Malformed)|InvalidInstanceNotFound", NO_INSTANCE),
    (r"InvalidInstance.*|IncorrectInstanceStatus.*|InstanceStatus.*|OperationDenied.*", _UNFIT),
    (r"InternalError|ServiceUnavailable.*|UnknownError|5\d\d", INSIDE),
    (r".*Credential.*|RefreshCredential.*", _SOUGHT),
    (r"RetryError|.*Connection.*|.*Timeout.*|.*SSL.*|.*Proxy.*", UNREACHED),
    (r"InvalidRegionId.*|RegionId\..*", NO_REGION),
)


def as_failure(error: Exception, redact: Callable[[str], str], *, acts: bool = False) -> ApiError:
    """The one failure for any exception of an SDK call.

    Of a call that acts on instances, a policy may allow some and not others.
    """
    inner = getattr(error, "inner_exception", None) or error
    code = getattr(inner, "code", None)
    name = code if isinstance(code, str) and code not in ("", "None") else type(inner).__name__
    status = getattr(inner, "status_code", None)
    meaning = meaning_of(name, TABLE)
    if meaning is UNTAKEN and isinstance(status, int) and status >= 500:
        meaning = INSIDE  # a gateway in between knows no codes
    if meaning is _FORBIDDEN and acts:
        meaning = msgspec.structs.replace(meaning, about_one=True)
    made = error_of(name, getattr(inner, "message", None) or str(inner), meaning, redact)
    # Of x-acs-retry-after, which may have more digits than a float holds.
    made.after_s = min(getattr(inner, "retry_after", None) or 0, 10**9) / 1000
    return made
