"""An account of Tencent Cloud with its keys; fulfils ``cloud.base.CloudModule``."""

from __future__ import annotations

from typing import cast

from volact.cloud.base import Account
from volact.cloud.calls import PAUSES_S
from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.endpoint import endpoint_of
from volact.cloud.tencent.keys import Keys, check_keys, find_keys
from volact.cloud.tencent.listing import CvmList
from volact.cloud.tencent.run_command import TatCommand
from volact.cloud.tencent.settings import TencentSettings
from volact.model.account import AccountSettings
from volact.threads import BlockingCalls


class TencentAccount:
    """Calls in any region with the keys of one account; fulfils ``cloud.base.Account``."""

    def __init__(
        self,
        settings: TencentSettings,
        keys: Keys,
        threads: BlockingCalls | None = None,
        pauses_s: tuple[float, ...] = PAUSES_S,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._threads = threads or BlockingCalls()
        self._pauses_s = pauses_s

    def calls(self, region: str) -> Calls:
        """The calls of one region."""
        return Calls(self._settings, region, self._keys, self._threads, self._pauses_s)

    def run_command(self, scope: str) -> TatCommand:
        """TAT in one region."""
        return TatCommand(self.calls(scope))

    def list_servers(self, scope: str) -> CvmList:
        """CVM's list of one region."""
        return CvmList(self.calls(scope))


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
    return TencentAccount(own, keys, threads)
