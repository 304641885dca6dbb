"""An account of AWS with its keys; fulfils ``cloud.base.CloudModule``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from volact.cloud.aws.calls import Calls
from volact.cloud.aws.listing import Ec2List
from volact.cloud.aws.run_command import SsmCommand
from volact.cloud.aws.sdk import Keys
from volact.cloud.aws.settings import AwsSettings
from volact.cloud.base import Account
from volact.cloud.calls import PAUSES_S
from volact.cloud.endpoint import check_endpoint
from volact.model.account import AccountSettings
from volact.threads import BlockingCalls


class AwsAccount:
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

    def run_command(self, scope: str) -> SsmCommand:
        """SSM in one region."""
        return SsmCommand(self.calls(scope))

    def list_servers(self, scope: str) -> Ec2List:
        """EC2's list of one region."""
        return Ec2List(self.calls(scope))


def check_account(settings: AccountSettings) -> None:
    """``InputError`` for what is known to be wrong before any call; no role is asked."""
    own = cast(AwsSettings, settings)
    if own.endpoint:
        check_endpoint(own.endpoint)
    Keys(own)


async def open_account(settings: AccountSettings) -> Account:
    """Find the keys, where necessary by asking this machine's role."""
    threads = BlockingCalls()
    keys = Keys(cast(AwsSettings, settings))
    await threads.run(keys.find)
    return AwsAccount(keys, threads)
