"""A lab behind Alibaba Cloud's API, and volact's own ways to it, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cloud_lab import QUICK_PAUSES, CloudLab, checked

from volact.cloud.alibaba.account import account_of
from volact.cloud.alibaba.declaration import AlibabaSettings
from volact.cloud.alibaba.sdk import Keys
from volact.cloud.base import RunCommand
from volact.threads import BlockingCalls
from volact_lab.alibaba.front import AlibabaFront
from volact_lab.alibaba.signature import Account
from volact_lab.lab import Lab

HOME = "cn-hangzhou"


def keys_file(path: Path, account: Account, section: str = "default") -> Path:
    """A file of profiles with one in it."""
    path.write_text(
        f"[{section}]\ntype = access_key\naccess_key_id = {account.access_key}\n"
        f"access_key_secret = {account.secret_key}\n"
    )
    return path


class Alibaba(CloudLab[AlibabaFront]):
    """One lab, its API, and how it is asked."""

    home = HOME

    def __init__(self, lab: Lab, folder: Path, account: Account | None = None) -> None:
        front = lab.clouds["ecs"]
        assert isinstance(front, AlibabaFront)
        super().__init__(lab, front)
        self.own = account or front.account
        path = keys_file(folder / f"{self.own.access_key}.ini", self.own)
        self.settings = AlibabaSettings(endpoint=front.endpoint, credentials=str(path))
        self.account = account_of(Keys(self.settings), BlockingCalls(), QUICK_PAUSES)

    def command(self, region: str) -> RunCommand:
        return self.account.run_command(region)


@asynccontextmanager
async def alibaba(
    folder: Path, scenario: str = "healthy", servers: int = 6, seed: int = 1
) -> AsyncIterator[Alibaba]:
    async with (
        Lab(scenario, servers, seed, transport="ecs") as lab,
        checked(Alibaba(lab, folder)) as here,
    ):
        yield here
