"""How many bytes an SSH connection may receive: past that it ends at once.

asyncssh bounds single packets and lines, not how many of them come.  The count is taken
below it, so it holds for all that a server sends: banners, key exchanges, packets that
mean nothing, output of any channel.  Each stage grants what it may cost at most; a server
that floods is gone within milliseconds and does not block the event loop.
"""

from __future__ import annotations

from typing import Any

from volact.model.text import say
from volact.transports.base import MAX_OUTPUT
from volact.transports.ssh_library import asyncssh

# A login costs about 5 KB; some servers greet with a page of law.
LOGIN = 256 * 1024
# A script and its answer: the output that is read, what is under way when reading
# ends, and the answers to the upload.
EXECUTION = MAX_OUTPUT + 768 * 1024
_KEY = "volact_receive_budget"


class ReceiveBudget:
    """The bytes that one connection may still receive."""

    def __init__(self, connection: asyncssh.SSHClientConnection, outer: Any = None) -> None:
        self._connection = connection
        self._outer = of(outer)
        self._left = 0
        self._pass_on = connection.data_received
        self.grant(LOGIN)

    def grant(self, count: int) -> None:
        """Allow so many bytes more, here and on the jump host's connection that carries them."""
        self._left += count
        if self._outer is not None:
            self._outer.grant(2 * count)

    def received(self, data: bytes, datatype: Any = None) -> None:
        """Count and pass on; end the connection when it is too much."""
        self._left -= len(data)
        if self._left >= 0:
            self._pass_on(data, datatype)
        else:
            error = say("it sends more than anything that was asked for")
            self._connection.connection_lost(asyncssh.ProtocolError(error))


def attach(connection: asyncssh.SSHClientConnection, outer: Any = None) -> None:
    """Bound a new connection; ``outer`` is that of the jump host which carries it."""
    budget = ReceiveBudget(connection, outer)
    connection.set_extra_info(**{_KEY: budget})
    # The library has no seam below its packets: its method is replaced for this object.
    vars(connection)["data_received"] = budget.received
    # uvloop keeps the bound method of a protocol: it is set anew.
    set_protocol = getattr(connection._transport, "set_protocol", None)
    if set_protocol is not None:  # else a channel of a jump host, or a command
        set_protocol(connection)


def of(connection: Any) -> ReceiveBudget | None:
    """The budget of a connection, ``None`` where there is none."""
    found = connection.get_extra_info(_KEY) if connection is not None else None
    return found if isinstance(found, ReceiveBudget) else None


def grant(connection: asyncssh.SSHClientConnection, count: int) -> None:
    """Allow a connection so many bytes more."""
    budget = of(connection)
    if budget is not None:
        budget.grant(count)
