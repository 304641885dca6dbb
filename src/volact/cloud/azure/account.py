"""An account of Azure with its keys; fulfils ``cloud.base.CloudModule``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import cast

from volact.cloud.account import RegionAccount
from volact.cloud.azure.calls import LIMITS, Calls
from volact.cloud.azure.declaration import AzureSettings
from volact.cloud.azure.listing import VmList
from volact.cloud.azure.run_command import AzureCommand
from volact.cloud.azure.sdk import Keys
from volact.cloud.base import Account
from volact.cloud.calls import PAUSES_S, PacedCalls
from volact.cloud.endpoint import check_endpoint
from volact.model.server import AccountSettings
from volact.threads import BlockingCalls


def account_of(
    keys: Keys, threads: BlockingCalls, pauses_s: Sequence[float] = PAUSES_S
) -> RegionAccount[Calls]:
    """The account of some keys; the groups of a subscription share its limits."""

    @cache
    def paced(_subscription: str) -> PacedCalls:
        return PacedCalls(LIMITS, threads, pauses_s)

    def calls(scope: str) -> Calls:
        return Calls(scope, keys, paced(scope.partition("/")[0].lower()))

    return RegionAccount(calls, AzureCommand, VmList)


def check_account(settings: AccountSettings) -> None:
    """``InputError`` for what is known to be wrong before any call; no identity is asked."""
    own = cast(AzureSettings, settings)
    if own.endpoint:
        check_endpoint(own.endpoint)
    Keys(own)


async def open_account(settings: AccountSettings) -> Account:
    """Find the keys by asking for a token: of a principal, of this machine, of ``az``."""
    threads = BlockingCalls()
    keys = Keys(cast(AzureSettings, settings))
    await threads.run(keys.find)
    return account_of(keys, threads)
