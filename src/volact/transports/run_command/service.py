"""Run-commands for a whole run: every account and scope once for any number of servers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from volact.cloud.base import Account, Cloud, Timing
from volact.cloud.registry import cloud_of_scheme, open_account
from volact.errors import InputError, TransportError
from volact.model.account import AccountSettings
from volact.model.error_text import error_text
from volact.model.server import Server
from volact.transports.base import Transport
from volact.transports.run_command.batcher import Batcher
from volact.transports.run_command.transport import RunCommandTransport

_Place = tuple[str, AccountSettings]  # the cloud's name and whose account


class RunCommandService:
    """Opens instances for one run.

    Args:
        timing: instead of what each cloud declares.
        accounts: finds the keys of an account.
    """

    def __init__(
        self,
        timing: Timing | None = None,
        *,
        accounts: Callable[[Cloud, AccountSettings], Awaitable[Account]] = open_account,
    ) -> None:
        self._timing = timing
        self._open_account = accounts
        self._opening = asyncio.Lock()
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
        yield RunCommandTransport(batcher, instance, self._salt)

    async def _batcher(self, cloud: Cloud, settings: AccountSettings, scope: str) -> Batcher:
        place = (cloud.name, cloud.settings_of(settings))
        if (place, scope) not in self._batchers:
            account = await self._account(cloud, place)
            if (place, scope) not in self._batchers:  # made meanwhile for another server
                self._batchers[place, scope] = Batcher(account.run_command(scope), self._timing)
        return self._batchers[place, scope]

    async def _account(self, cloud: Cloud, place: _Place) -> Account:
        async with self._opening:
            if place not in self._accounts:
                try:
                    self._accounts[place] = await self._open_account(cloud, place[1])
                except InputError as error:
                    raise TransportError("auth", error_text(error)) from error
            return self._accounts[place]
