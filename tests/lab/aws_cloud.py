"""A lab behind AWS's API, and volact's own ways to it, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cloud_lab import QUICK_PAUSES, CloudLab, checked

from volact.cloud.account import RegionAccount
from volact.cloud.aws.account import account_of
from volact.cloud.aws.calls import Calls
from volact.cloud.aws.declaration import AwsSettings
from volact.cloud.aws.sdk import Keys
from volact.cloud.base import RunCommand
from volact.threads import BlockingCalls
from volact_lab.aws.front import AwsFront
from volact_lab.aws.signature import Account
from volact_lab.lab import Lab

HOME = "eu-west-1"


def keys_file(path: Path, account: Account, profile: str = "default") -> Path:
    """A file of profiles with one in it."""
    token = f"aws_session_token = {account.token}\n" if account.token else ""
    path.write_text(
        f"[{profile}]\naws_access_key_id = {account.access_key}\n"
        f"aws_secret_access_key = {account.secret_key}\n{token}"
    )
    return path


class Aws(CloudLab[AwsFront]):
    """One lab, its API, and how it is asked."""

    home = HOME

    def __init__(self, lab: Lab, folder: Path, account: Account | None = None) -> None:
        front = lab.clouds["ssm"]
        assert isinstance(front, AwsFront)
        super().__init__(lab, front)
        self.own = account or front.account
        path = keys_file(folder / f"{self.own.access_key}.ini", self.own)
        self.settings = AwsSettings(endpoint=front.endpoint, credentials=str(path))
        self.keys = Keys(self.settings)
        self.keys.find()

    @property
    def account(self) -> RegionAccount[Calls]:
        return account_of(self.keys, BlockingCalls(), QUICK_PAUSES)

    def command(self, region: str) -> RunCommand:
        return self.account.run_command(region)


@asynccontextmanager
async def aws(
    folder: Path, scenario: str = "healthy", servers: int = 6, seed: int = 1
) -> AsyncIterator[Aws]:
    async with (
        Lab(scenario, servers, seed, transport="ssm") as lab,
        checked(Aws(lab, folder)) as here,
    ):
        yield here
