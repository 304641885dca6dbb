"""Exceptions of pypsrp, requests, urllib3 and pyspnego into the contract's kinds.

One table by type, one by the fault codes of WS-Management.  Messages are one
line, hold no secret, and of what a server sent only a short excerpt.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb
from xml.etree.ElementTree import ParseError

import pypsrp.exceptions as psrp
import requests.exceptions as http
import spnego.exceptions as nego
import urllib3.exceptions as lib3

from volact.bounded.stream import PeerLimitError, TooLongError
from volact.errors import TransportError
from volact.transports.failures import Mapping, one_line

TIMED_OUT = 0x80338029
REFUSED = "the login was refused"

_FILTERED = (
    "the account must be an administrator; a local one other than Administrator also "
    "needs LocalAccountTokenFilterPolicy = 1 on the server"
)
_SPEECH = Mapping("protocol", "the server does not speak WinRM as it should: {detail}")
_LOST = Mapping("connect", "the connection broke: {detail}", passing="unsent")
_NO_LOGIN = Mapping(
    "auth", "the login did not come about: {detail}", "check user, password and winrm-transport"
)
_ADDRESS = Mapping("connect", "the address cannot be used: {detail}")
_LATE = Mapping("timeout", "no answer in time", passing="unsent")
_CROWDED = Mapping(
    "connect",
    "the server allows no further remote shell or command",
    "close old ones (winrm enumerate shell), or raise the quotas of winrm/config/winrs",
    "refused",
)
_UNTRUSTED = Mapping(
    "host-key",
    "the server's certificate is not trusted: {detail}",
    "name its authority with ca-file, or renew the certificate",
)
_TOO_LARGE = Mapping(
    "protocol", "a message is larger than the server allows", "raise MaxEnvelopeSizekb there"
)
_DENIED = Mapping("auth", "access to WinRM is denied", _FILTERED)

# Looked up along the exception's own line of descent: the nearest entry wins.
TABLE: dict[type[BaseException], Mapping] = {
    psrp.AuthenticationError: Mapping("auth", REFUSED, "check user and password"),
    psrp.WSManFaultError: Mapping("protocol", "the WinRM service refused: {detail}"),
    psrp.WinRMTransportError: _SPEECH,
    psrp.WinRMError: _SPEECH,
    http.SSLError: Mapping("protocol", "no TLS connection: {detail}", "is it HTTPS, on this port?"),
    http.ConnectTimeout: Mapping("timeout", "no connection in time", passing="unsent"),
    http.Timeout: _LATE,
    http.ProxyError: Mapping("connect", "the proxy does not connect: {detail}"),
    http.ConnectionError: _LOST,
    http.ChunkedEncodingError: _LOST,
    http.RetryError: _LOST,
    http.MissingSchema: _ADDRESS,
    http.InvalidSchema: _ADDRESS,
    http.InvalidURL: _ADDRESS,
    http.RequestException: _SPEECH,
    lib3.SSLError: Mapping("protocol", "no TLS connection: {detail}", "is it HTTPS, on this port?"),
    lib3.TimeoutError: _LATE,
    lib3.LocationValueError: _ADDRESS,
    lib3.ProxySchemeUnsupported: _ADDRESS,
    lib3.NewConnectionError: _LOST,
    lib3.ProtocolError: _LOST,
    lib3.MaxRetryError: _LOST,
    lib3.HTTPError: _SPEECH,
    nego.BadMICError: _SPEECH,
    nego.ContextExpiredError: _LOST,
    nego.BadMechanismError: Mapping(
        "auth",
        "the server and this machine have no login in common: {detail}",
        "Kerberos needs volact[kerberos]; try winrm-transport ntlm",
    ),
    nego.NoCredentialError: Mapping(
        "auth", "there is nothing to log in with", "name a password, or get a ticket with kinit"
    ),
    nego.SpnegoError: _NO_LOGIN,
    nego.NativeError: _NO_LOGIN,
    nego.FeatureMissingError: Mapping(
        "auth",
        "this way to log in needs more than is installed",
        "pip install 'volact[kerberos]', or winrm-transport ntlm",
    ),
    ImportError: Mapping("auth", "this way to log in is not installed: {detail}"),
    ssl.SSLCertVerificationError: _UNTRUSTED,
    ParseError: _SPEECH,
    PeerLimitError: _SPEECH,
    TooLongError: _LATE,
    TimeoutError: _LATE,
    ConnectionRefusedError: Mapping(
        "connect",
        "connection refused",
        "is WinRM running (winrm quickconfig), on this port?",
        "unsent",
    ),
    socket.gaierror: Mapping("connect", "the name does not resolve", "check the address"),
    ConnectionError: _LOST,
    OSError: Mapping("connect", "no connection: {detail}"),
}

# What the library stumbles over when an answer is not what it expects.
_STUMBLES = (ValueError, LookupError, AttributeError, TypeError, struct.error)
_LIBRARIES = ("pypsrp", "requests", "urllib3", "spnego")

FAULTS: dict[int, Mapping] = {
    5: _DENIED,
    0x80070005: _DENIED,
    1326: TABLE[psrp.AuthenticationError],
    0x80338036: TABLE[psrp.AuthenticationError],
    995: Mapping("connect", "the command was ended on the server"),
    TIMED_OUT: Mapping("timeout", "the WinRM service did not do it in time"),
    0x80338012: Mapping(
        "connect", "the server cannot be reached by WinRM", "try winrm quickconfig on it"
    ),
    **dict.fromkeys((0x80338026, 0x80338048, 0x80338049), _TOO_LARGE),
    0x8033805B: Mapping(
        "connect",
        "the remote shell is gone",
        "the service may have restarted, or the shell was closed",
    ),
    0x803381AC: Mapping(
        "connect", "the server allows no remote shells", "look at the policy AllowRemoteShellAccess"
    ),
    # Shells, operations, users, memory: each quota under two codes, old and new.
    0x8033803F: _CROWDED,
    **dict.fromkeys((0x803381A5, 0x803381A6, 0x803381A7, 0x803381A8, 0x803381AB), _CROWDED),
    **dict.fromkeys(range(0x803381E4, 0x803381EB), _CROWDED),
}


def mapping_of(kind: type[BaseException]) -> Mapping | None:
    """The entry for an exception type, ``None`` for one that is not a server's fault."""
    return next((TABLE[base] for base in kind.__mro__ if base in TABLE), None)


def as_transport_error(error: BaseException) -> TransportError | None:
    """The contract's error for a foreign one, ``None`` when it is not a server's fault."""
    if isinstance(error, psrp.WSManFaultError):
        return _fault(error)
    if isinstance(error, psrp.WinRMTransportError):
        return _status(error)
    if isinstance(error, psrp.AuthenticationError) and "Failed to authenticate" not in str(error):
        return _told(_NO_LOGIN, _detail(error))
    cause = _root(error)
    found = mapping_of(type(cause))
    if found is None:
        return _told(_SPEECH, type(error).__name__) if _stumbled(error) else None
    return _told(found, _detail(cause))


@contextmanager
def translated() -> Iterator[None]:
    """Let nothing of a server's doing out except as ``TransportError``."""
    try:
        yield
    except TransportError:
        raise
    except Exception as error:
        known = as_transport_error(error)
        if known is None:
            raise
        raise known from error


def _fault(error: psrp.WSManFaultError) -> TransportError:
    code = error.code if isinstance(error.code, int) else 0
    words = one_line(str(error.provider_fault or error.reason or "no reason given"))
    return _told(FAULTS.get(code, TABLE[psrp.WSManFaultError]), f"{words} (0x{code:08X})")


def _status(error: psrp.WinRMTransportError) -> TransportError:
    if error.code == 404:
        return TransportError("protocol", "there is no WinRM service at /wsman", "check the port")
    if error.code == 503:
        words = "the WinRM service is busy or stopped"
        return TransportError("connect", words, "try again", passing="unsent")
    return _told(_SPEECH, f"HTTP status {error.code}")


def _root(error: BaseException) -> BaseException:
    """What is really behind it: requests wraps urllib3, which wraps the system's errors."""
    seen: list[BaseException] = [error]
    while (inner := _inner(seen[-1])) is not None and inner not in seen:
        seen.append(inner)
    telling = (e for e in reversed(seen) if isinstance(e, OSError) and _is_plain(e))
    return next(telling, error)


def _stumbled(error: BaseException) -> bool:
    """Whether a library tripped over an answer: a defect of volact's own has no such frame."""
    frames = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    below = any(name.partition(".")[0] in _LIBRARIES for name in frames)
    return below and isinstance(error, _STUMBLES)


def _inner(error: BaseException) -> BaseException | None:
    parts = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
    return next((part for part in parts if isinstance(part, BaseException)), None)


def _is_plain(error: OSError) -> bool:
    """An error of the system or of TLS that is more precise than what wraps it."""
    if isinstance(error, PeerLimitError):
        return True
    own = type(error).__module__ in {"builtins", "socket", "ssl"}
    return own and (not isinstance(error, ssl.SSLError) or mapping_of(type(error)) is _UNTRUSTED)


def _told(mapping: Mapping, detail: str) -> TransportError:
    words = mapping.words.format(detail=detail)
    return TransportError(mapping.kind, words, mapping.hint, passing=mapping.passing)


def _detail(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return one_line(getattr(error, "verify_message", "")) or "it does not verify"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return one_line(text) or type(error).__name__
