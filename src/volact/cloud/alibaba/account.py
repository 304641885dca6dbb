"""An account of Alibaba Cloud with its keys; fulfils ``cloud.base.CloudModule``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from volact.cloud.account import RegionAccount
from volact.cloud.alibaba.calls import Calls
from volact.cloud.alibaba.declaration import AlibabaSettings
from volact.cloud.alibaba.listing import EcsList
from volact.cloud.alibaba.run_command import AssistantCommand
from volact.cloud.alibaba.sdk import Keys
from volact.cloud.base import Account
from volact.cloud.calls import PAUSES_S
from volact.cloud.endpoint import check_endpoint
from volact.model.server import AccountSettings
from volact.threads import BlockingCalls


def account_of(
    keys: Keys, threads: BlockingCalls, pauses_s: Sequence[float] = PAUSES_S
) -> RegionAccount[Calls]:
    """The account of some keys."""

    def calls(region: str) -> Calls:
        return Calls(region, keys, threads, pauses_s)

    return RegionAccount(calls, AssistantCommand, EcsList)


def check_account(settings: AccountSettings) -> None:
    """``InputError`` for what is known to be wrong before any call; no role is asked."""
    own = cast(AlibabaSettings, settings)
    if own.endpoint:
        check_endpoint(own.endpoint)
    Keys(own)


async def open_account(settings: AccountSettings) -> Account:
    """Find the keys, where necessary by asking this machine's role."""
    threads = BlockingCalls()
    keys = Keys(cast(AlibabaSettings, settings))
    await threads.run(keys.find)
    return account_of(keys, threads)
