"""Exceptions of pypsrp, requests, urllib3 and pyspnego into the contract's kinds.

One table by type, one by the fault codes of WS-Management.  Messages are one
line, hold no secret, and of what a server sent only a short excerpt.
"""

from __future__ import annotations

import re
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import BadStatusLine
from traceback import walk_tb
from xml.etree.ElementTree import ParseError

import pypsrp.exceptions as psrp
import requests.exceptions as http
import spnego.exceptions as nego
import urllib3.exceptions as lib3

from volact.bounded.stream import PeerLimitError, TooLongError
from volact.errors import TransportError, one_line
from volact.model.text import say
from volact.transports.failures import LATE, LOST, SYSTEM, Mapping, detail_of, mapping_of
from volact.transports.failures import translated as translated_by
from volact.transports.winrm.kerberos import KERBEROS, KERBEROS_BASE

# Of the operation, and of the shell's own plug-in.
TIMED_OUT = (0x80338029, 1460)
REFUSED = say("the login was refused")

_FILTERED = say(
    "the account must be an administrator; a local one other than Administrator also "
    "needs LocalAccountTokenFilterPolicy = 1 on the server"
)
_SPEECH = Mapping(
    "protocol", say("the server does not speak WinRM as it should: {detail}", detail="{detail}")
)
_NO_TLS = Mapping(
    "protocol",
    say("no TLS connection: {detail}", detail="{detail}"),
    say("is it HTTPS, on this port?"),
)
_NO_LOGIN = Mapping(
    "auth",
    say("the login did not come about: {detail}", detail="{detail}"),
    say("check user, password and winrm-transport"),
)
_ADDRESS = Mapping("connect", say("the address cannot be used: {detail}", detail="{detail}"))
_CROWDED = Mapping(
    "connect",
    say("the server allows no further remote shell or command"),
    say("close old ones (winrm enumerate shell), or raise the quotas of winrm/config/winrs"),
    "refused",
)
_UNTRUSTED = Mapping(
    "host-key",
    say("the server's certificate is not trusted: {detail}", detail="{detail}"),
    say("name its authority with ca-file, or renew the certificate"),
)
_NO_PEM = Mapping(
    "auth",
    say("a certificate or key of this machine cannot be used"),
    say("check that ca-file, certificate-file and certificate-key-file are PEM and fit together"),
)
_OF_A_FILE = re.compile("PEM lib|NO_CERTIFICATE_OR_CRL_FOUND|NO_START_LINE|KEY_VALUES_MISMATCH")
_TOO_LARGE = Mapping(
    "protocol",
    say("a message is larger than the server allows"),
    say("raise MaxEnvelopeSizekb there"),
)
_DENIED = Mapping("auth", say("access to WinRM is denied"), _FILTERED)

# Looked up along the exception's own line of descent: the nearest entry wins.
TABLE: dict[type[BaseException], Mapping] = {
    psrp.AuthenticationError: Mapping("auth", REFUSED, say("check user and password")),
    psrp.WSManFaultError: Mapping(
        "protocol", say("the WinRM service refused: {detail}", detail="{detail}")
    ),
    psrp.WinRMTransportError: _SPEECH,
    psrp.WinRMError: _SPEECH,
    http.SSLError: _NO_TLS,
    http.ConnectTimeout: Mapping("timeout", say("no connection in time"), passing="unsent"),
    http.Timeout: LATE,
    http.ProxyError: Mapping(
        "connect", say("the proxy does not connect: {detail}", detail="{detail}")
    ),
    http.ConnectionError: LOST,
    http.ChunkedEncodingError: LOST,
    http.RetryError: LOST,
    http.MissingSchema: _ADDRESS,
    http.InvalidSchema: _ADDRESS,
    http.InvalidURL: _ADDRESS,
    http.RequestException: _SPEECH,
    lib3.SSLError: _NO_TLS,
    lib3.TimeoutError: LATE,
    lib3.LocationValueError: _ADDRESS,
    lib3.ProxySchemeUnsupported: _ADDRESS,
    lib3.NewConnectionError: LOST,
    lib3.ProtocolError: LOST,
    lib3.MaxRetryError: LOST,
    lib3.HTTPError: _SPEECH,
    nego.BadMICError: _SPEECH,
    nego.ContextExpiredError: LOST,
    nego.BadMechanismError: Mapping(
        "auth",
        say("the server and this machine have no login in common: {detail}", detail="{detail}"),
        say("Kerberos needs volact[kerberos]; try winrm-transport ntlm"),
    ),
    nego.NoCredentialError: Mapping(
        "auth",
        say("there is nothing to log in with"),
        say("name a password, or get a ticket with kinit"),
    ),
    nego.SpnegoError: _NO_LOGIN,
    nego.NativeError: _NO_LOGIN,
    nego.FeatureMissingError: Mapping(
        "auth",
        say("this way to log in needs more than is installed"),
        say("pip install 'volact[kerberos]', or winrm-transport ntlm"),
    ),
    ImportError: Mapping(
        "auth",
        say("this way to log in is not installed: {detail}", detail="{detail}"),
        say("pip install 'volact[kerberos]', or winrm-transport ntlm"),
    ),
    ssl.SSLCertVerificationError: _UNTRUSTED,
    BadStatusLine: Mapping(
        "connect",
        say("what answers is not HTTP: {detail}", detail="{detail}"),
        say("is this the port of WinRM?"),
        "unsent",
    ),
    ParseError: _SPEECH,
    PeerLimitError: _SPEECH,
    TooLongError: LATE,
    **SYSTEM,
    ConnectionRefusedError: Mapping(
        "connect",
        say("connection refused"),
        say("is WinRM running (winrm quickconfig), on this port?"),
        "unsent",
    ),
}

# What the library stumbles over when an answer is not what it expects.
_STUMBLES = (ValueError, LookupError, AttributeError, TypeError, struct.error)
_LIBRARIES = ("pypsrp", "requests", "urllib3", "spnego")

FAULTS: dict[int, Mapping] = {
    5: _DENIED,
    0x80070005: _DENIED,
    1326: TABLE[psrp.AuthenticationError],
    0x80338036: TABLE[psrp.AuthenticationError],
    995: Mapping("connect", say("the command was ended on the server")),
    **dict.fromkeys(TIMED_OUT, Mapping("timeout", say("the WinRM service did not do it in time"))),
    0x80338012: Mapping(
        "connect", say("the server cannot be reached by WinRM"), say("try winrm quickconfig on it")
    ),
    **dict.fromkeys((0x80338026, 0x80338048, 0x80338049), _TOO_LARGE),
    0x8033805B: Mapping(
        "connect",
        say("the remote shell is gone"),
        say("the service may have restarted, or the shell was closed"),
    ),
    0x803381AC: Mapping(
        "connect",
        say("the server allows no remote shells"),
        say("look at the policy AllowRemoteShellAccess"),
    ),
    # Shells, operations, users, memory: each quota under two codes, old and new.
    0x8033803F: _CROWDED,
    **dict.fromkeys((0x803381A5, 0x803381A6, 0x803381A7, 0x803381A8, 0x803381AB), _CROWDED),
    **dict.fromkeys(range(0x803381E4, 0x803381EB), _CROWDED),
}


def as_transport_error(error: BaseException) -> TransportError | None:
    """The contract's error for a foreign one, ``None`` when it is not a server's fault."""
    if isinstance(error, psrp.WSManFaultError):
        return error_of_fault(error)
    if isinstance(error, psrp.WinRMTransportError):
        return _status(error)
    if isinstance(error, psrp.AuthenticationError) and "Failed to authenticate" not in str(error):
        return _NO_LOGIN.error(_detail(error))
    if (minor := _kerberos_code(error)) in KERBEROS:
        return KERBEROS[minor].error("")
    cause = _root(error)
    found = _NO_PEM if _of_a_file(error) else mapping_of(type(cause), TABLE)
    if found is None:
        return _SPEECH.error(type(error).__name__) if _stumbled(error) else None
    return found.error(_detail(cause))


translated = partial(translated_by, as_transport_error)


@contextmanager
def before_script() -> Iterator[None]:
    """What fails here fails before the script is sent: it certainly did not run."""
    try:
        with translated():
            yield
    except TransportError as error:
        error.passing = "refused"
        raise


def error_of_fault(error: psrp.WSManFaultError) -> TransportError:
    """The contract's error for a fault of WS-Management."""
    code = error.code if isinstance(error.code, int) else 0
    words = one_line(str(error.provider_fault or error.reason or say("no reason given")))
    return FAULTS.get(code, TABLE[psrp.WSManFaultError]).error(f"{words} (0x{code:08X})")


def _status(error: psrp.WinRMTransportError) -> TransportError:
    if error.code == 404:
        return TransportError(
            "protocol", say("there is no WinRM service at /wsman"), say("check the port")
        )
    if error.code == 503:
        words = say("the WinRM service is busy or stopped")
        return TransportError("connect", words, say("try again"), passing="unsent")
    if error.code == 400 and not error.response_text:
        return TransportError(
            "connect",
            say("the server refused a message without a reason (HTTP status 400)"),
            say("it had probably ended the login because the connection was idle; try again"),
            passing="unsent",
        )
    return _SPEECH.error(f"HTTP status {error.code}")


def _chain(error: BaseException) -> list[BaseException]:
    """The exception, and what it wraps: requests wraps urllib3, which wraps the system's errors."""
    seen: list[BaseException] = [error]
    while (inner := _inner(seen[-1])) is not None and inner not in seen:
        seen.append(inner)
    return seen


def _root(error: BaseException) -> BaseException:
    """What is really behind it."""
    telling = (e for e in reversed(_chain(error)) if _is_plain(e))
    return next(telling, error)


def _kerberos_code(error: BaseException) -> int | None:
    """The number of Kerberos' own error, from the library's 32 bits with or without a sign."""
    codes = (getattr(inner, "min_code", None) for inner in _chain(error))
    return next(((c - KERBEROS_BASE) & 0xFFFFFFFF for c in codes if isinstance(c, int)), None)


def _of_a_file(error: BaseException) -> bool:
    """Whether OpenSSL says that a certificate file of this machine is at fault."""
    tls = (one for one in _chain(error) if isinstance(one, ssl.SSLError))
    return any(_OF_A_FILE.search(str(one)) for one in tls)


def _stumbled(error: BaseException) -> bool:
    """Whether a library tripped over an answer: a defect of volact's own has no such frame."""
    frames = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    below = any(name.partition(".")[0] in _LIBRARIES for name in frames)
    return below and isinstance(error, _STUMBLES)


def _inner(error: BaseException) -> BaseException | None:
    parts = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
    return next((part for part in parts if isinstance(part, BaseException)), None)


def _is_plain(error: BaseException) -> bool:
    """An error of the system, of TLS or of HTTP that is more precise than what wraps it."""
    if isinstance(error, PeerLimitError | BadStatusLine):
        return True
    own = isinstance(error, OSError) and type(error).__module__ in {"builtins", "socket", "ssl"}
    return own and (
        not isinstance(error, ssl.SSLError) or mapping_of(type(error), TABLE) is _UNTRUSTED
    )


def _detail(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return one_line(getattr(error, "verify_message", "")) or say("it does not verify")
    if isinstance(error, http.SSLError | lib3.SSLError):
        told = (getattr(one, "reason", None) for one in _chain(error))
        if word := next((reason for reason in told if isinstance(reason, str)), ""):
            return one_line(word.replace("_", " ").lower())
    return detail_of(error)
