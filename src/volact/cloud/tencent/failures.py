"""Failures of the SDK into the contract's error kinds: one table, used once.

Calls of the SDK fail with its one exception type, whose code is the API's or the
SDK's own, or with the Python exception that it met.  All of them become
``ApiError`` here and nowhere else, with the API's own words.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from volact.cloud.base import ApiError
from volact.cloud.failures import (
    BUSY,
    CLOCK,
    INSIDE,
    NO_INSTANCE,
    NO_REGION,
    UNTAKEN,
    Meaning,
    error_of,
    forbidden,
    unfound,
)
from volact.model.text import say

_KEYS = Meaning(
    "auth", say("the API refused the credentials"), say("check secret id, secret key and token")
)
_FORBIDDEN = forbidden("tat", "CAM")
# A policy may allow some instances and not others.
_SOME_FORBIDDEN = msgspec.structs.replace(_FORBIDDEN, about_one=True)
_SOUGHT = unfound("tat")
_USED_UP = Meaning("connect", say("a quota of the account is used up"))
_ONE_UNTAKEN = msgspec.structs.replace(UNTAKEN, about_one=True)

# The entry with the most of a code's dotted parts wins.
TABLE: dict[str, Meaning] = {
    "AuthFailure": _KEYS,
    "AuthFailure.SignatureExpire": CLOCK,
    "AuthFailure.UnauthorizedOperation": _SOME_FORBIDDEN,
    "UnauthorizedOperation": _FORBIDDEN,
    "UnauthorizedOperation.CamAuthFailed": _SOME_FORBIDDEN,
    "UnauthorizedOperation.InvalidToken": _KEYS,
    "IpInBlacklist": _FORBIDDEN,
    "IpNotInWhitelist": _FORBIDDEN,
    "InvalidCredential": _KEYS,
    "ClientSideError": _SOUGHT,
    "ClientError.MetadataError": _SOUGHT,
    "RequestLimitExceeded": BUSY,
    "LimitExceeded": _USED_UP,
    "ResourceUnavailable": Meaning("connect", say("the instance cannot be asked")),
    "ResourceUnavailable.AgentNotInstalled": Meaning(
        "connect",
        say("the TAT agent is not installed"),
        say("install it, or reach the server by ssh"),
        about_one=True,
    ),
    "ResourceUnavailable.AgentStatusNotOnline": Meaning(
        "connect",
        say("the TAT agent is not online"),
        say("is the service tatsvc running there?"),
        about_one=True,
    ),
    "ResourceUnavailable.InstanceStateNotRunning": Meaning(
        "connect", say("the instance is not running"), say("start it"), about_one=True
    ),
    "ResourceUnavailable.LighthouseUnsupportedRegion": Meaning(
        "connect", say("the instance cannot be asked"), about_one=True
    ),
    "ResourceUnavailable.UserHasNoQuotaCode": _USED_UP,
    "ResourceNotFound": Meaning(
        "connect", say("there is no such thing"), say("check region and account")
    ),
    "ResourceNotFound.InstanceNotFound": NO_INSTANCE,
    "InvalidInstanceId": NO_INSTANCE,
    "InvalidParameterValue.AgentUnsupportedCommandType": Meaning(
        "agent",
        say("the TAT agent there runs no BAT"),
        say("is it a Windows Server? update the agent"),
        about_one=True,
    ),
    "InvalidParameterValue.ID": _ONE_UNTAKEN,
    "InvalidParameterValue.InconsistentID": _ONE_UNTAKEN,
    "InvalidParameterValue.InconsistentInstance": Meaning(
        "connect", say("instances of different kinds cannot be asked together"), about_one=True
    ),
    "InvalidParameterValue.InstanceIsNotRelatedToInvocation": _ONE_UNTAKEN,
    "InvalidParameterValue.InvalidInstanceId": NO_INSTANCE,
    "InvalidParameterValue.InvalidRegion": NO_REGION,
    # Fewer at once may be what helps.
    "InvalidParameterValue.LimitExceeded": _ONE_UNTAKEN,
    "InvalidRegion": NO_REGION,
    "UnsupportedRegion": Meaning("connect", say("the API is not offered in this region")),
    "FailedOperation": Meaning("connect", say("the operation failed in the cloud")),
    "InternalError": INSIDE,
    "ServiceUnavailable": Meaning(
        "connect", say("the API is not available"), say("try again later"), "unsure"
    ),
    "OperationDenied": Meaning("connect", say("the operation was denied")),
    "ClientNetworkError": Meaning(
        "connect", say("the API cannot be reached"), say("check the network and the site"), "unsure"
    ),
    "ServerNetworkError": Meaning(
        "connect", say("the API did not answer as it should"), again="unsure"
    ),
}


def as_failure(error: Exception, redact: Callable[[str], str]) -> ApiError:
    """The one failure for any exception of an SDK call."""
    code = getattr(error, "code", None)
    message = getattr(error, "message", None) if isinstance(code, str) else str(error)
    if isinstance(message, bytes):
        message = message.decode("utf-8", "replace")
    name = code if isinstance(code, str) and code else type(error).__name__
    return failure(name, message, redact)


def failure(code: str, text: object, redact: Callable[[str], str] = str) -> ApiError:
    """A failure by its code and the API's own words."""
    return error_of(code, text, meaning_of(code), redact)


def meaning_of(code: str) -> Meaning:
    """The nearest entry for a code: its own, else that of the family above it."""
    while code:
        if code in TABLE:
            return TABLE[code]
        code = code.rpartition(".")[0]
    return UNTAKEN
