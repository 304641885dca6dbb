"""Failures of the SDK into the contract's error kinds: one table, used once.

Every call of the SDK fails with one exception type whose code is the API's,
the SDK's own, or the name of the Python exception that it met.  All of them
become ``ApiError`` here and nowhere else, with the API's own words.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from volact.cloud.base import Again, ApiError
from volact.errors import ErrorKind, one_line
from volact.model.text import say


class Meaning(msgspec.Struct, frozen=True):
    """What a family of codes means; the API's own words follow."""

    kind: ErrorKind
    words: str
    hint: str = ""


_POLICY = say("docs/tat.md lists what its CAM policy must allow")
_NO_WAY = Meaning(
    "connect", say("the API cannot be reached"), say("check the network and the site")
)
_KEYS = Meaning(
    "auth", say("the API refused the credentials"), say("check secret id, secret key and token")
)
_FORBIDDEN = Meaning("auth", say("the credentials may not do this"), _POLICY)
_BUSY = Meaning("connect", say("the API has had too many requests"), say("try again later"))
_SOUGHT = Meaning(
    "auth", say("no credentials could be had"), say("docs/tat.md says where they are sought")
)
_OURS = Meaning("protocol", say("the API does not take the request"))

# The entry with the most of a code's dotted parts wins.
TABLE: dict[str, Meaning] = {
    "AuthFailure": _KEYS,
    "AuthFailure.SignatureExpire": Meaning(
        "auth", say("the API refused the signature's time"), say("set the clock of this machine")
    ),
    "AuthFailure.UnauthorizedOperation": _FORBIDDEN,
    "UnauthorizedOperation": _FORBIDDEN,
    "UnauthorizedOperation.InvalidToken": _KEYS,
    "IpInBlacklist": _FORBIDDEN,
    "IpNotInWhitelist": _FORBIDDEN,
    "InvalidCredential": _KEYS,
    "ClientSideError": _SOUGHT,
    "ClientError.MetadataError": _SOUGHT,
    "RequestLimitExceeded": _BUSY,
    "LimitExceeded": Meaning("connect", say("a quota of the account is used up")),
    "ResourceUnavailable": Meaning("connect", say("the instance cannot be asked")),
    "ResourceUnavailable.AgentNotInstalled": Meaning(
        "connect",
        say("the TAT agent is not installed"),
        say("install it, or reach the server by ssh"),
    ),
    "ResourceUnavailable.AgentStatusNotOnline": Meaning(
        "connect", say("the TAT agent is not online"), say("is the service tatsvc running there?")
    ),
    "ResourceUnavailable.InstanceStateNotRunning": Meaning(
        "connect", say("the instance is not running"), say("start it")
    ),
    "ResourceUnavailable.UserHasNoQuotaCode": Meaning(
        "connect", say("a quota of the account is used up")
    ),
    "ResourceNotFound": Meaning(
        "connect", say("there is no such thing"), say("check region and account")
    ),
    "ResourceNotFound.InstanceNotFound": Meaning(
        "connect", say("there is no such instance"), say("check id, region and account")
    ),
    "InvalidInstanceId": Meaning(
        "connect", say("there is no such instance"), say("check id, region and account")
    ),
    "InvalidParameterValue.InvalidInstanceId": Meaning(
        "connect", say("there is no such instance"), say("check id, region and account")
    ),
    "InvalidParameterValue.InconsistentInstance": Meaning(
        "connect", say("instances of different kinds cannot be asked together")
    ),
    "InvalidParameterValue.AgentUnsupportedCommandType": Meaning(
        "agent",
        say("the TAT agent there runs no BAT"),
        say("is it a Windows Server? update the agent"),
    ),
    "InvalidParameterValue.InvalidRegion": Meaning("connect", say("there is no such region")),
    "InvalidRegion": Meaning("connect", say("there is no such region")),
    "UnsupportedRegion": Meaning("connect", say("the API is not offered in this region")),
    "FailedOperation": Meaning("connect", say("the operation failed in the cloud")),
    "InternalError": Meaning("connect", say("the API failed inside"), say("try again later")),
    "ServiceUnavailable": Meaning(
        "connect", say("the API is not available"), say("try again later")
    ),
    "OperationDenied": Meaning("connect", say("the operation was denied")),
    "ClientNetworkError": _NO_WAY,
    "ServerNetworkError": Meaning("connect", say("the API did not answer as it should")),
}

_THROTTLED = ("RequestLimitExceeded",)
_PASSING = ("ClientNetworkError", "ServerNetworkError", "InternalError", "ServiceUnavailable")
_ABOUT_ONE = (
    "ResourceUnavailable.AgentNotInstalled",
    "ResourceUnavailable.AgentStatusNotOnline",
    "ResourceUnavailable.InstanceStateNotRunning",
    "ResourceUnavailable.LighthouseUnsupportedRegion",
    "ResourceNotFound.InstanceNotFound",
    "InvalidInstanceId",
    "InvalidParameterValue.AgentUnsupportedCommandType",
    "InvalidParameterValue.ID",
    "InvalidParameterValue.InconsistentID",
    "InvalidParameterValue.InconsistentInstance",
    "InvalidParameterValue.InstanceIsNotRelatedToInvocation",
    "InvalidParameterValue.InvalidInstanceId",
    # Fewer at once may be what helps.
    "InvalidParameterValue.LimitExceeded",
    # A policy may allow some instances and not others.
    "UnauthorizedOperation.CamAuthFailed",
    "AuthFailure.UnauthorizedOperation",
)


def as_failure(error: Exception, redact: Callable[[str], str]) -> ApiError:
    """The one failure for any exception of an SDK call."""
    code = getattr(error, "code", None)
    message = getattr(error, "message", None)
    name = code if isinstance(code, str) and code else type(error).__name__
    return failure(name, redact(_text(message if isinstance(code, str) else str(error))))


def failure(code: str, text: str) -> ApiError:
    """A failure by its code and the API's own words."""
    meaning = meaning_of(code)
    told = f"{code}: {text}" if text else code
    return ApiError(
        meaning.kind,
        say("{message} ({hint})", message=meaning.words, hint=told),
        meaning.hint,
        code=code,
        again=_again(code),
        about_one=_starts(code, _ABOUT_ONE),
    )


def _again(code: str) -> Again:
    if _starts(code, _THROTTLED):
        return "throttled"
    return "unsure" if _starts(code, _PASSING) else "never"


def meaning_of(code: str) -> Meaning:
    """The nearest entry for a code: its own, else that of the family above it."""
    while code:
        if code in TABLE:
            return TABLE[code]
        code = code.rpartition(".")[0]
    return _OURS


def _text(message: object) -> str:
    if isinstance(message, bytes):
        message = message.decode("utf-8", "replace")
    return "" if message is None else one_line(str(message))


def _starts(code: str, families: tuple[str, ...]) -> bool:
    return any(code == family or code.startswith(f"{family}.") for family in families)
