"""An account of AWS with its keys; fulfils ``cloud.base.CloudModule``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from volact.cloud.account import RegionAccount
from volact.cloud.aws.calls import Calls
from volact.cloud.aws.declaration import AwsSettings
from volact.cloud.aws.listing import Ec2List
from volact.cloud.aws.run_command import SsmCommand
from volact.cloud.aws.sdk import Keys
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

    return RegionAccount(calls, SsmCommand, Ec2List)


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
    return account_of(keys, threads)
