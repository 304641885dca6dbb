"""Failures of the API and of the SDK into the contract's error kinds: one table, used once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from volact.cloud.base import ApiError
from volact.cloud.failures import (
    BUSY,
    INSIDE,
    KEYS,
    NO_INSTANCE,
    UNREACHED,
    UNTRUSTED,
    Meaning,
    error_of,
    forbidden,
    meaning_of,
    unfound,
)
from volact.model.text import say

_STOPPED = Meaning("connect", say("the instance cannot be asked"), say("does it run?"))
_NO_SUBSCRIPTION = Meaning(
    "connect", say("there is no such subscription"), say("check the subscription and the tenant")
)
_UNTRUSTED = msgspec.structs.replace(
    UNTRUSTED, hint=say("name its authority with azure-authorities, or check azure-endpoint")
)

# By the API's code, else by its status or the SDK's own exception.  The first pattern that
# fits wins.
TABLE: tuple[tuple[str, Meaning], ...] = (
    (r"TooManyRequests|429|.*Throttl.*|SubscriptionRequestsThrottled", BUSY),
    (r"AnotherOperationInProgress|RetryableError|Conflict", BUSY),
    (r"InvalidAuthenticationToken.*|ExpiredAuthenticationToken|AuthenticationFailed|401", KEYS),
    (r"(?:Linked)?AuthorizationFailed|.*Forbidden.*|403", forbidden("azure", "RBAC")),
    (r"SubscriptionNotFound|InvalidSubscriptionId|SubscriptionNotRegistered", _NO_SUBSCRIPTION),
    (r"ResourceNotFound|ResourceGroupNotFound|NotFound|ParentResourceNotFound|404", NO_INSTANCE),
    (r"OperationNotAllowed|VMAgentStatusCommunicationError", _STOPPED),
    (r"Internal.*|ServiceUnavailable|ServerTimeout|GatewayTimeout|5\d\d", INSIDE),
    (r"ClientAuthenticationError|CredentialUnavailable.*", unfound("azure")),
    (r"ServiceRe(?:quest|sponse).*|Incomplete.*|.*Connection.*|.*Timeout.*|.*SSL.*", UNREACHED),
)  # fmt: skip


class _Told(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Answer(msgspec.Struct, frozen=True):
    error: _Told = _Told()


def refused(response: Any, redact: Callable[[str], str]) -> ApiError:
    """The failure that an answer of the API is."""
    try:
        told = msgspec.json.decode(response.read(), type=_Answer).error
    except (ValueError, RecursionError):  # a gateway in between knows no codes
        told = _Told()
    status = str(response.status_code)
    code = told.code or status
    # The status rules where it says more: of what is throttled there are many codes.
    meaning = meaning_of(status if status in ("401", "429") else code, TABLE)
    if meaning.kind == "protocol" and status[0] == "5":
        meaning = INSIDE
    return error_of(code, told.message, meaning, redact)


def as_failure(error: Exception, redact: Callable[[str], str]) -> ApiError:
    """The failure that an exception of the SDK is."""
    cause = error.__cause__
    if isinstance(cause, Exception) and type(cause).__name__.startswith("Service"):
        error = cause  # credentials call it their own failure that nothing was reached
    code = type(error).__name__
    told = getattr(error, "message", None) or str(error)
    return error_of(code, told, meaning_of(code, TABLE), redact, _UNTRUSTED)
