"""Accounts of clouds: how one is opened, and one whose scopes have calls of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from volact.cloud.base import Account, Cloud, ListServers, RunCommand
from volact.cloud.registry import module_of
from volact.model.server import AccountSettings

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class RegionAccount(Generic[C]):
    """Calls in any region with the keys of one account; fulfils ``cloud.base.Account``."""

    calls: Callable[[str], C]
    command: Callable[[C], RunCommand]
    listing: Callable[[C], ListServers]

    def run_command(self, scope: str) -> RunCommand:
        """The run-command of one region."""
        return self.command(self.calls(scope))

    def list_servers(self, scope: str) -> ListServers:
        """The list of one region."""
        return self.listing(self.calls(scope))


async def open_account(cloud: Cloud, settings: AccountSettings) -> Account:
    """The account that settings name; ``InputError`` where its keys are not found."""
    module = await asyncio.to_thread(module_of, cloud)  # some SDKs take half a second to load
    return await module.open_account(cloud.settings_of(settings))
