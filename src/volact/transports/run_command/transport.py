"""A run-command as a transport: one instance, and what it shares with others of its scope.

Every account and scope of a run is opened once for any number of servers.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from volact.cloud.account import open_account
from volact.cloud.base import Account, Cloud, Timing
from volact.cloud.registry import cloud_of_scheme
from volact.errors import InputError, TransportError
from volact.model.error_text import error_text
from volact.model.server import AccountSettings, Server
from volact.model.text import say
from volact.transports.base import Raw, SharedScript, Transport
from volact.transports.run_command.batcher import Batcher
from volact.transports.run_command.gather import Background
from volact.transports.run_command.invocation import CommandInvocation, script_refusal

_Place = tuple[str, AccountSettings]  # the cloud's name and whose account
# How long cancelling may take beyond a deadline.
_GRACE_S = 5.0


class RunCommandTransport(SharedScript):
    """The transport to one instance.  There is no connection: nothing is to be closed.

    Args:
        batcher: of the scope that the instance is in.
        instance: its id.
        salt: the same for all servers of a run.
        grace_s: how long cancelling may take beyond a deadline.
    """

    def __init__(
        self, batcher: Batcher, instance: str, salt: str, *, grace_s: float | None = None
    ) -> None:
        # Nothing is shared where one call starts one script: the id shows whose answer it is.
        self.salt = salt if batcher.limits.start_batch > 1 else secrets.token_hex(8)
        self.instance = instance
        self._batcher = batcher
        self._grace_s = _GRACE_S if grace_s is None else grace_s
        self._background = Background()

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        """Have the script run once, together with equal ones for other instances."""
        refusal = script_refusal(script, self._batcher.limits)
        if refusal is not None:
            raise refusal
        invocation = CommandInvocation(self.instance, name=name, time_s=deadline_s)
        self._batcher.send(invocation, script)
        try:
            async with asyncio.timeout(deadline_s):
                return await invocation.result()
        except TimeoutError as error:
            raise _late(invocation, deadline_s) from error
        finally:
            if not invocation.over:
                await self._end(invocation)

    async def close(self) -> None:
        """Nothing is open."""

    async def _end(self, invocation: CommandInvocation) -> None:
        """Cancel what is left; it goes on by itself when it takes too long."""
        ending = self._background.run(self._batcher.give_up(invocation))
        await asyncio.wait({ending}, timeout=self._grace_s)
        if ending.done() and not ending.cancelled():
            # Not being able to cancel changes nothing about the result.
            ending.exception()


def _late(invocation: CommandInvocation, deadline_s: float) -> TransportError:
    trouble = invocation.trouble
    last = say("; the last query failed: {message}", message=trouble.message) if trouble else ""
    return TransportError(
        "timeout",
        say(
            "the server did not finish within {seconds} s (the task is {status}){last}",
            seconds=f"{deadline_s:.3g}",
            status=invocation.status,
            last=last,
        ),
        say("raise --deadline, or find out what its processes wait for"),
    )


class RunCommandService:
    """Opens instances for one run.

    Args:
        timing: instead of what each cloud declares.
        accounts: finds the keys of an account.
        grace_s: how long cancelling may take beyond a deadline.
    """

    def __init__(
        self,
        timing: Timing | None = None,
        *,
        accounts: Callable[[Cloud, AccountSettings], Awaitable[Account]] = open_account,
        grace_s: float | None = None,
    ) -> None:
        self._timing = timing
        self._open_account = accounts
        self._grace_s = grace_s
        self._opening: defaultdict[_Place, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._salt = secrets.token_hex(8)
        self._accounts: dict[_Place, Account] = {}
        self._batchers: dict[tuple[_Place, str], Batcher] = {}

    @asynccontextmanager
    async def open(self, server: Server) -> AsyncIterator[Transport]:
        """The transport to a server that is ready, or ``TransportError``."""
        cloud = cloud_of_scheme(server.address.scheme)
        assert cloud is not None, "the address was not read by volact.inventory"
        scope, _, instance = server.address.host.rpartition("/")
        batcher = await self._batcher(cloud, server.account, scope)
        await batcher.ready(instance)
        yield RunCommandTransport(batcher, instance, self._salt, grace_s=self._grace_s)

    async def _batcher(self, cloud: Cloud, settings: AccountSettings, scope: str) -> Batcher:
        place = (cloud.name, cloud.settings_of(settings))
        if (place, scope) not in self._batchers:
            account = await self._account(cloud, place)
            if (place, scope) not in self._batchers:  # made meanwhile for another server
                self._batchers[place, scope] = Batcher(account.run_command(scope), self._timing)
        return self._batchers[place, scope]

    async def _account(self, cloud: Cloud, place: _Place) -> Account:
        async with self._opening[place]:
            if place not in self._accounts:
                try:
                    self._accounts[place] = await self._open_account(cloud, place[1])
                except InputError as error:
                    raise TransportError("auth", error_text(error)) from error
            return self._accounts[place]
