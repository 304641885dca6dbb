"""An account of Alibaba Cloud with its keys; fulfils ``cloud.base.CloudModule``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from volact.cloud.alibaba.calls import Calls
from volact.cloud.alibaba.listing import EcsList
from volact.cloud.alibaba.run_command import AssistantCommand
from volact.cloud.alibaba.sdk import Keys
from volact.cloud.alibaba.settings import AlibabaSettings
from volact.cloud.base import Account
from volact.cloud.calls import PAUSES_S
from volact.cloud.endpoint import check_endpoint
from volact.model.account import AccountSettings
from volact.threads import BlockingCalls


class AlibabaAccount:
    """Calls in any region with the keys of one account; fulfils ``cloud.base.Account``."""

    def __init__(
        self, keys: Keys, threads: BlockingCalls, pauses_s: Sequence[float] = PAUSES_S
    ) -> None:
        self._keys = keys
        self._threads = threads
        self._pauses_s = pauses_s

    def calls(self, region: str) -> Calls:
        """The calls of one region."""
        return Calls(region, self._keys, self._threads, self._pauses_s)

    def run_command(self, scope: str) -> AssistantCommand:
        """Cloud Assistant in one region."""
        return AssistantCommand(self.calls(scope))

    def list_servers(self, scope: str) -> EcsList:
        """ECS's list of one region."""
        return EcsList(self.calls(scope))


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
    return AlibabaAccount(keys, threads)
