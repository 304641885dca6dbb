"""An account of Alibaba Cloud with its keys; fulfils ``cloud.base.CloudModule``."""

from __future__ import annotations

from collections.abc import Sequence

from volact.cloud.account import RegionAccount, by_sdk
from volact.cloud.alibaba.calls import Calls
from volact.cloud.alibaba.listing import EcsList
from volact.cloud.alibaba.run_command import AssistantCommand
from volact.cloud.alibaba.sdk import Keys
from volact.cloud.calls import PAUSES_S
from volact.threads import BlockingCalls


def account_of(
    keys: Keys, threads: BlockingCalls, pauses_s: Sequence[float] = PAUSES_S
) -> RegionAccount[Calls]:
    """The account of some keys."""

    def calls(region: str) -> Calls:
        return Calls(region, keys, threads, pauses_s)

    return RegionAccount(calls, AssistantCommand, EcsList)


check_account, open_account = by_sdk(Keys, account_of)
