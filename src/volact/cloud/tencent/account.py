"""An account of Tencent Cloud with its keys; fulfils ``cloud.base.CloudModule``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from volact.cloud.account import RegionAccount
from volact.cloud.base import Account
from volact.cloud.calls import PAUSES_S
from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.declaration import TencentSettings, endpoint_of
from volact.cloud.tencent.keys import Keys, check_keys, find_keys
from volact.cloud.tencent.listing import CvmList
from volact.cloud.tencent.run_command import TatCommand
from volact.model.server import AccountSettings
from volact.threads import BlockingCalls


def account_of(
    settings: TencentSettings,
    keys: Keys,
    threads: BlockingCalls,
    pauses_s: Sequence[float] = PAUSES_S,
) -> RegionAccount[Calls]:
    """The account of some keys."""

    def calls(region: str) -> Calls:
        return Calls(settings, region, keys, threads, pauses_s)

    return RegionAccount(calls, TatCommand, CvmList)


def check_account(settings: AccountSettings) -> None:
    """``InputError`` for an endpoint or keys that are known to be wrong before any call."""
    own = cast(TencentSettings, settings)
    endpoint_of(own, "tat")
    check_keys(own)


async def open_account(settings: AccountSettings) -> Account:
    """Find the keys, where necessary by asking this machine's role."""
    own = cast(TencentSettings, settings)
    threads = BlockingCalls()
    keys = await threads.run(lambda: find_keys(own))
    return account_of(own, keys, threads)
