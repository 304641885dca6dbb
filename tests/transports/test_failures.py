"""Every exception of the SSH library has its place, and none reveals too much."""

from __future__ import annotations

import socket

import asyncssh
import pytest

from volact.errors import TransportError, one_line
from volact.transports.failures import TABLE, as_transport_error, mapping_of, translated

PUBLIC = [
    value
    for name in dir(asyncssh)
    if isinstance(value := getattr(asyncssh, name), type)
    and issubclass(value, BaseException)
    and value is not asyncssh.Error
]


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.__name__)
def test_every_public_exception_of_asyncssh_is_mapped(kind: type[BaseException]) -> None:
    mapping = mapping_of(kind)
    assert mapping is not None
    # By itself or as a member of a family, never by a catch-all.
    family = next(base for base in kind.__mro__ if base in TABLE)
    assert family not in (OSError, Exception, BaseException)


def test_the_test_above_sees_the_library() -> None:
    assert {asyncssh.PermissionDenied, asyncssh.SFTPNoSuchFile, asyncssh.KeyImportError} <= set(
        PUBLIC
    )


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncssh.PermissionDenied("x"), "auth"),
        (asyncssh.KeyImportError("x"), "auth"),
        (asyncssh.SFTPPermissionDenied("x"), "auth"),
        (asyncssh.HostKeyNotVerifiable("x"), "host-key"),
        (asyncssh.ConnectionLost("x"), "connect"),
        (asyncssh.SFTPConnectionLost("x"), "connect"),
        (asyncssh.ChannelOpenError(1, "x"), "connect"),
        (asyncssh.KeyExchangeFailed("x"), "protocol"),
        (asyncssh.SFTPFailure("x"), "protocol"),
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(111, "Connection refused"), "connect"),
        (ConnectionResetError(104, "reset"), "connect"),
        (socket.gaierror(-2, "Name or service not known"), "connect"),
        (OSError(113, "No route to host"), "connect"),
    ],
)
def test_kinds_are_those_of_the_contract(error: Exception, kind: str) -> None:
    told = as_transport_error(error)
    assert told is not None
    assert told.kind == kind
    assert "\n" not in told.line()


def test_what_is_no_servers_fault_is_not_swallowed() -> None:
    assert as_transport_error(KeyError("a defect")) is None
    with pytest.raises(KeyError), translated():
        raise KeyError("a defect")
    with pytest.raises(TransportError), translated():
        raise OSError(113, "No route to host")


def test_a_servers_words_are_cut_and_cleaned() -> None:
    told = as_transport_error(asyncssh.DisconnectError(2, "\x1b[31mbad\r\n" + "x" * 900))
    assert told is not None
    assert "\x1b" not in told.message
    assert len(told.message) < 260
    assert one_line(" a\tb\n ") == "a b"


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (ConnectionRefusedError(111, "x"), "unsent"),
        (ConnectionResetError(104, "x"), "unsent"),
        (asyncssh.ConnectionLost("x"), "unsent"),
        (TimeoutError(), "unsent"),
        (asyncssh.ChannelOpenError(1, "x"), "refused"),
        (asyncssh.PermissionDenied("x"), "never"),
        (asyncssh.HostKeyNotVerifiable("x"), "never"),
        (asyncssh.KeyExchangeFailed("x"), "never"),
        (asyncssh.ProtocolError("x"), "never"),
        (asyncssh.SFTPNoSpaceOnFilesystem("x"), "never"),
        (socket.gaierror(8, "x"), "never"),
        (OSError(113, "x"), "never"),
    ],
)
def test_only_what_passes_by_itself_says_so(error: Exception, passing: str) -> None:
    told = as_transport_error(error)
    assert told is not None
    assert told.passing == passing
