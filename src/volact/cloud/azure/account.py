"""An account of Azure with its keys; fulfils ``cloud.base.CloudModule``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from volact.cloud.account import RegionAccount, by_sdk
from volact.cloud.azure.calls import LIMITS, Calls
from volact.cloud.azure.listing import VmList
from volact.cloud.azure.run_command import AzureCommand
from volact.cloud.azure.sdk import Keys
from volact.cloud.calls import PAUSES_S, PacedCalls
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


check_account, open_account = by_sdk(Keys, account_of)
