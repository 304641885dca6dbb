"""TAT for a whole run: every account and region once, whatever the number of servers."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.keys import Keys, find_keys
from volact.cloud.tencent.threads import Threads
from volact.errors import InputError, TransportError
from volact.model.account import Account
from volact.model.server import Server
from volact.transports.base import Transport
from volact.transports.tat.region import Region, Timing
from volact.transports.tat.transport import TatTransport

_PLACE = re.compile(r"(?P<region>[a-z]{2,}(?:-[a-z0-9]+)+)/(?P<instance>[a-z]+-[a-z0-9]+)")


class Tat:
    """Opens instances for one run."""

    def __init__(
        self,
        timing: Timing | None = None,
        *,
        keys: Callable[[Account], Keys] = find_keys,
    ) -> None:
        self._timing = timing or Timing()
        self._find = keys
        self._threads = Threads()
        self._finding = asyncio.Lock()
        self._salt = secrets.token_hex(8)
        self._keys: dict[Account, Keys] = {}
        self._regions: dict[tuple[Account, str], Region] = {}

    @asynccontextmanager
    async def open(self, server: Server) -> AsyncIterator[Transport]:
        """The way to a server that can be asked, or ``TransportError``."""
        match = _PLACE.fullmatch(server.address.host)
        assert match is not None, "the address was not read by volact.inventory"
        region = await self._region(server.account, match["region"])
        await region.ready(match["instance"])
        yield TatTransport(region, match["instance"], self._salt)

    async def _region(self, account: Account, name: str) -> Region:
        key = (account, name)
        if key not in self._regions:
            keys = await self._keys_of(account)
            if key not in self._regions:  # nobody else was quicker
                calls = Calls(account, name, keys, self._threads)
                self._regions[key] = Region(calls, self._timing)
        return self._regions[key]

    async def _keys_of(self, account: Account) -> Keys:
        async with self._finding:
            if account not in self._keys:
                try:
                    self._keys[account] = await self._threads.run(lambda: self._find(account))
                except InputError as error:
                    raise TransportError("auth", error.line()) from error
            return self._keys[account]
