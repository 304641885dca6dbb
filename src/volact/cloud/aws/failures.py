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
    say("docs/ssm.md lists what the IAM policy must allow"),
)
_SOUGHT = Meaning(
    "auth", say("no credentials could be had"), say("docs/ssm.md says where they are sought")
)
_UNKNOWN = Meaning("connect", say("the API does not know the command"), again="unsure")
_WRONG_KIND = Meaning("agent", say("the instance is no Windows server"), about_one=True)

# By the API's code, else by the SDK's own exception.  The first pattern that fits wins.
TABLE: tuple[tuple[str, Meaning], ...] = (
    (r"RequestExpired|SignatureExpired|RequestTimeTooSkewed|SignatureTooOld", CLOCK),
    (r"AccessDenied.*|UnauthorizedOperation|OptInRequired|NotAuthorized|Blocked", _FORBIDDEN),
    (r"AuthFailure|UnrecognizedClient.*|InvalidClientTokenId|InvalidAccessKeyId", KEYS),
    (r"InvalidSignature.*|SignatureDoesNotMatch|IncompleteSignature|MissingAuth.*|Expired.*", KEYS),
    (r"Throttl.*|RequestLimitExceeded|RequestThrottled.*|TooManyRequests.*|SlowDown|429", BUSY),
    (r"InvalidInstanceId.*|InvalidInstanceID.*", NO_INSTANCE),
    (r"UnsupportedPlatformType", _WRONG_KIND),
    (r"InvocationDoesNotExist", _UNKNOWN),
    (r"Internal.*|ServiceUnavailable.*|Unavailable|RequestTimeout|5\d\d", INSIDE),
    (r"NoCredentials.*|PartialCredentials.*|.*Credential.*|.*Token.*|SSO.*|Metadata.*", _SOUGHT),
    (r".*Connect.*|.*Timeout.*|HTTPClientError|SSLError|Proxy.*|ResponseStreaming.*", NO_WAY),
    (r"InvalidRegion.*|UnknownRegion.*|NoRegion.*",
     Meaning("connect", say("there is no such region"))),
)  # fmt: skip


def as_failure(error: Exception, redact: Callable[[str], str]) -> ApiError:
    """The one failure for any exception of an SDK call."""
    answer = getattr(error, "response", None)
    told = answer.get("Error") if isinstance(answer, dict) else None
    if isinstance(told, dict) and isinstance(told.get("Code"), str) and told["Code"]:
        code, text = told["Code"].rpartition("#")[2], told.get("Message", "")
    else:
        code, text = type(error).__name__, str(error)
    meaning = meaning_of(code)
    if meaning is _FORBIDDEN and ":instance/" in str(text):
        # A policy may allow some instances and not others.
        meaning = msgspec.structs.replace(meaning, about_one=True)
    return error_of(code, text, meaning, redact)


def meaning_of(code: str) -> Meaning:
    """What a code means."""
    return next((means for form, means in TABLE if re.fullmatch(form, code)), UNTAKEN)
