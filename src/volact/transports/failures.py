"""Foreign exceptions into the contract's error kinds: one table, used once.

Every exception of asyncssh and every ``OSError`` of a connection becomes a
``TransportError`` here and nowhere else.  Messages are one line, hold no
secret, and nothing that a server sent beyond a short printable excerpt.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Table
from contextlib import contextmanager

import msgspec

from volact.errors import ErrorKind, Passing, TransportError, one_line
from volact.model.text import Text, ready, say
from volact.transports.sftp import NotSftpError
from volact.transports.ssh_library import asyncssh


class Mapping(msgspec.Struct, frozen=True):
    """How one exception type is reported: kind, words, and what to do about it.

    ``{detail}`` in the words is the exception's own text; ``passing`` says
    whether the same may work a moment later.
    """

    kind: ErrorKind
    words: str
    hint: str = ""
    passing: Passing = "never"

    def error(self, detail: str) -> TransportError:
        """The error of a server, with the exception's own text."""
        known = self.words
        words = say(known.template, detail=detail) if isinstance(known, Text) else detail
        return TransportError(self.kind, words, self.hint, passing=self.passing)


_KEY = Mapping(
    "auth",
    say("the private key cannot be used: {detail}", detail="{detail}"),
    say("check key-file"),
)
LOST = Mapping(
    "connect", say("the connection broke: {detail}", detail="{detail}"), passing="unsent"
)
LATE = Mapping("timeout", say("no answer in time"), passing="unsent")
# What the system says of any connection.
SYSTEM: dict[type[BaseException], Mapping] = {
    TimeoutError: LATE,
    socket.gaierror: Mapping("connect", say("the name does not resolve"), say("check the address")),
    ConnectionError: LOST,
    OSError: Mapping("connect", say("no connection: {detail}", detail="{detail}")),
}
ON_THIS_PORT = say("is the SSH server running, on this port?")
_SPEECH = Mapping(
    "protocol", say("the SSH server does not speak as it should: {detail}", detail="{detail}")
)
_FULL = Mapping(
    "protocol", say("the server has no room for a file of 100 KB"), say("free some disk space")
)
_FORBIDDEN = Mapping(
    "auth",
    say("the account may not write to its temporary folder"),
    say("log in as an administrator"),
)

# Looked up along the exception's own line of descent: the nearest entry wins.
TABLE: dict[type[BaseException], Mapping] = {
    asyncssh.HostKeyNotVerifiable: Mapping("host-key", "{detail}"),
    asyncssh.PermissionDenied: Mapping(
        "auth", say("the login was refused"), say("check user, password or key")
    ),
    asyncssh.IllegalUserName: Mapping("auth", say("the user name is not one that SSH can carry")),
    asyncssh.PasswordChangeRequired: Mapping(
        "auth", say("the password has expired"), say("log in once by hand and change it")
    ),
    asyncssh.KeyImportError: _KEY,
    asyncssh.KeyEncryptionError: _KEY,
    asyncssh.KeyExportError: _KEY,
    asyncssh.KeyGenerationError: _KEY,
    asyncssh.ConfigParseError: Mapping(
        "connect", say("the SSH settings are not usable: {detail}", detail="{detail}")
    ),
    asyncssh.KeyExchangeFailed: Mapping(
        "protocol",
        say("no common SSH algorithm: {detail}", detail="{detail}"),
        say("update the SSH server, or look at its KexAlgorithms, Ciphers and HostKeyAlgorithms"),
    ),
    asyncssh.ConnectionLost: LOST,
    asyncssh.DisconnectError: Mapping(
        "connect", say("the server ended the connection: {detail}", detail="{detail}")
    ),
    asyncssh.ServiceNotAvailable: _SPEECH,
    asyncssh.ProtocolNotSupported: _SPEECH,
    asyncssh.ProtocolError: _SPEECH,
    asyncssh.CompressionError: _SPEECH,
    asyncssh.MACError: _SPEECH,
    asyncssh.ChannelOpenError: Mapping(
        "connect",
        say("the server refused a session: {detail}", detail="{detail}"),
        say("look at MaxSessions of its sshd"),
        "refused",
    ),
    asyncssh.ChannelListenError: _SPEECH,
    asyncssh.ProcessError: _SPEECH,
    asyncssh.SignalReceived: _SPEECH,
    asyncssh.BreakReceived: _SPEECH,
    asyncssh.TerminalSizeChanged: _SPEECH,
    asyncssh.SFTPConnectionLost: LOST,
    asyncssh.SFTPNoConnection: LOST,
    asyncssh.SFTPPermissionDenied: _FORBIDDEN,
    asyncssh.SFTPWriteProtect: _FORBIDDEN,
    asyncssh.SFTPNoSpaceOnFilesystem: _FULL,
    asyncssh.SFTPQuotaExceeded: _FULL,
    asyncssh.SFTPError: Mapping(
        "protocol", say("the script could not be put there: {detail}", detail="{detail}")
    ),
    NotSftpError: Mapping(
        "protocol",
        say("the server does not start SFTP; it says: {detail}", detail="{detail}"),
        say(
            "look at ForceCommand in its sshd_config, at the account's shell, and whether its "
            "password has expired"
        ),
        "unsent",
    ),
    **SYSTEM,
    asyncssh.TimeoutError: LATE,
    ConnectionRefusedError: Mapping(
        "connect",
        say("connection refused"),
        ON_THIS_PORT,
        "unsent",
    ),
}


_NO_SFTP = Mapping(
    "connect",
    say("the server does not start what a session needs: {detail}", detail="{detail}"),
    say("is the sftp subsystem on in its sshd_config?"),
)
# The library's words for a channel when the whole connection is gone.
_CLOSED = "SSH connection closed"


def mapping_of(
    kind: type[BaseException], table: Table[type[BaseException], Mapping] = TABLE
) -> Mapping | None:
    """The entry for an exception type, ``None`` for one that is not a server's fault."""
    return next((table[base] for base in kind.__mro__ if base in table), None)


def as_transport_error(error: BaseException) -> TransportError | None:
    """The contract's error for a foreign one, ``None`` when it is not a server's fault."""
    found = _of_channel(error) or mapping_of(type(error))
    return None if found is None else found.error(detail_of(error))


def _of_channel(error: BaseException) -> Mapping | None:
    """A channel that did not open has more than one reason."""
    if not isinstance(error, asyncssh.ChannelOpenError):
        return None
    if error.code == asyncssh.OPEN_REQUEST_SESSION_FAILED:
        return _NO_SFTP
    return LOST if str(error) == _CLOSED else None


@contextmanager
def translated(
    convert: Callable[[Exception], TransportError | None] = as_transport_error,
) -> Iterator[None]:
    """Let nothing of a server's doing out except as ``TransportError``."""
    try:
        yield
    except TransportError:
        raise
    except Exception as error:
        known = convert(error)
        if known is None:
            raise
        raise known from error


def detail_of(error: BaseException) -> Text:
    """The exception's own text: one line, or a sentence of volact."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    own = next((said for said in (text, *error.args) if isinstance(said, Text)), None)
    return own or ready(one_line(text) or type(error).__name__)
