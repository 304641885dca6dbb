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
    UNTRUSTED,
    WRONG_KIND,
    Meaning,
    error_of,
    forbidden,
    meaning_of,
    unfound,
)
from volact.model.text import say

_FORBIDDEN = forbidden("ssm", "IAM")
_SOUGHT = unfound("ssm")
_UNTRUSTED = msgspec.structs.replace(
    UNTRUSTED, hint=say("name its authority with AWS_CA_BUNDLE, or check aws-endpoint")
)
# EC2 says so of temporary keys, too.
_EXPIRED = Meaning(
    "auth",
    say("the API refused the request as expired"),
    say("get new temporary keys, or set the clock of this machine"),
)
_UNKNOWN = Meaning("connect", say("the API does not know the command"), again="unsure")
# SendCommand says so of any state in which SSM does not manage the instance.
_UNMANAGED = Meaning(
    "connect",
    say("SSM cannot reach the instance"),
    say("is it in this account, its SSM agent online, and does its role allow SSM?"),
    about_one=True,
)

# By the API's code, else by the SDK's own exception.  The first pattern that fits wins.
TABLE: tuple[tuple[str, Meaning], ...] = (
    (r"RequestExpired", _EXPIRED),
    (r"SignatureExpired|RequestTimeTooSkewed|SignatureTooOld", CLOCK),
    (r"AccessDenied.*|UnauthorizedOperation|OptInRequired|NotAuthorized|Blocked", _FORBIDDEN),
    (r"AuthFailure|UnrecognizedClient.*|InvalidClientTokenId|InvalidAccessKeyId", KEYS),
    (r"InvalidSignature.*|SignatureDoesNotMatch|IncompleteSignature|MissingAuth.*|Expired.*", KEYS),
    (r"Throttl.*|RequestLimitExceeded|RequestThrottled.*|TooManyRequests.*|SlowDown|429", BUSY),
    (r"InvalidInstanceId", _UNMANAGED),
    (r"InvalidInstanceI[dD].*", NO_INSTANCE),
    (r"UnsupportedPlatformType", WRONG_KIND),
    (r"InvocationDoesNotExist", _UNKNOWN),
    (r"Internal.*|ServiceUnavailable.*|Unavailable|RequestTimeout|5\d\d", INSIDE),
    (r"Invalid(?:Next|Pagination)Token", UNTAKEN),
    (r"NoCredentials.*|PartialCredentials.*|.*Credential.*|.*Token.*|SSO.*|Metadata.*", _SOUGHT),
    (r".*Connect.*|.*Timeout.*|HTTPClientError|SSLError|Proxy.*|ResponseStreaming.*", UNREACHED),
    (r"InvalidRegion.*|UnknownRegion.*|NoRegion.*", NO_REGION),
)  # fmt: skip


def as_failure(error: Exception, redact: Callable[[str], str]) -> ApiError:
    """The one failure for any exception of an SDK call."""
    answer = getattr(error, "response", None)
    told = answer.get("Error") if isinstance(answer, dict) else None
    if isinstance(told, dict) and isinstance(told.get("Code"), str) and told["Code"]:
        code, text = told["Code"].rpartition("#")[2], told.get("Message", "")
    else:
        code, text = type(error).__name__, str(error)
    meaning = meaning_of(code, TABLE)
    if meaning is _FORBIDDEN and ":instance/" in str(text):
        # A policy may allow some instances and not others.
        meaning = msgspec.structs.replace(meaning, about_one=True)
    return error_of(code, text, meaning, redact, _UNTRUSTED)
