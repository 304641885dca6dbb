"""Accounts of clouds: how one is opened, and one whose scopes have calls of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from volact.cloud.base import Account, Cloud, ListServers, RunCommand
from volact.cloud.endpoint import check_endpoint
from volact.cloud.registry import module_of
from volact.model.server import AccountSettings
from volact.threads import BlockingCalls

C = TypeVar("C")


class SdkKeys(Protocol):
    """The keys of an account, which the cloud's SDK finds and renews."""

    def find(self) -> None:
        """Look for keys where the SDK does; ``InputError`` where there are none."""


K = TypeVar("K", bound=SdkKeys)
CheckAccount = Callable[[AccountSettings], None]
OpenAccount = Callable[[AccountSettings], Awaitable[Account]]


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


def by_sdk(
    keys_of: Callable[[Any], K], account_of: Callable[[K, BlockingCalls], Account]
) -> tuple[CheckAccount, OpenAccount]:
    """``check_account`` and ``open_account`` of a ``CloudModule`` whose SDK finds the keys."""

    def check_account(settings: Any) -> None:
        """``InputError`` for what is known to be wrong before any call; no role is asked."""
        if settings.endpoint:
            check_endpoint(settings.endpoint)
        keys_of(settings)

    def found(settings: AccountSettings) -> K:
        keys = keys_of(settings)
        keys.find()
        return keys

    async def open_account(settings: AccountSettings) -> Account:
        """Find the keys, where necessary by asking for a token or this machine's role."""
        threads = BlockingCalls()
        return account_of(await threads.run(lambda: found(settings)), threads)

    return check_account, open_account


def by_region(
    keys_of: Callable[[Any], K],
    calls_of: Callable[..., C],
    command: Callable[[C], RunCommand],
    listing: Callable[[C], ListServers],
) -> tuple[Callable[..., RegionAccount[C]], CheckAccount, OpenAccount]:
    """``account_of`` some keys, and what ``by_sdk`` gives, where a scope is a region.

    Args:
        keys_of: the keys of settings.
        calls_of: a region's calls, by its name, keys and threads.
        command: the run-command of such calls.
        listing: the list of such calls.
    """

    def account_of(keys: K, threads: BlockingCalls, *more: Any) -> RegionAccount[C]:
        def calls(region: str) -> C:
            return calls_of(region, keys, threads, *more)

        return RegionAccount(calls, command, listing)

    return account_of, *by_sdk(keys_of, account_of)


async def open_account(cloud: Cloud, settings: AccountSettings) -> Account:
    """The account that settings name; ``InputError`` where its keys are not found."""
    module = await asyncio.to_thread(module_of, cloud)  # some SDKs take half a second to load
    return await module.open_account(cloud.settings_of(settings))
