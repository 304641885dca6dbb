"""A lab behind AWS's API, and volact's own ways to it, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tencent_cloud import FAST, QUICK_PAUSES

from volact.cloud.aws.account import AwsAccount
from volact.cloud.aws.run_command import SsmCommand
from volact.cloud.aws.sdk import Keys
from volact.cloud.aws.settings import AwsSettings
from volact.cloud.base import Timing
from volact.threads import BlockingCalls
from volact.transports.run_command.batcher import Batcher
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


class Aws:
    """One lab, its API, and how it is asked."""

    def __init__(self, lab: Lab, folder: Path, account: Account | None = None) -> None:
        front = lab.clouds["ssm"]
        assert isinstance(front, AwsFront)
        self.lab = lab
        self.front = front
        self.own = account or front.account
        path = keys_file(folder / f"{self.own.access_key}.ini", self.own)
        self.settings = AwsSettings(endpoint=front.endpoint, credentials=str(path))
        self.keys = Keys(self.settings)
        self.keys.find()

    @property
    def account(self) -> AwsAccount:
        return AwsAccount(self.keys, BlockingCalls(), QUICK_PAUSES)

    def region(self, name: str = HOME, timing: Timing = FAST) -> Batcher:
        return Batcher(SsmCommand(self.account.calls(name)), timing)

    def some(self, count: int, *, line: str = "") -> list[str]:
        """Ids of servers of one region whose connection is in order, or bad in one way."""
        slots = (s for s in self.lab.slots.values() if s.line == line and s.spec.region == HOME)
        return [slot.spec.instance_id for slot in slots][:count]

    def executions(self, instance: str) -> int:
        slot = self.front.estate.slot(instance)
        assert slot is not None
        return slot.executions

    def fail(self, action: str, times: int, what: Callable[[], Any]) -> None:
        """Make the next requests of an action fail."""
        left = [times]

        def mischief(asked: str, _parameters: dict[str, Any]) -> Any:
            if asked != action or left[0] == 0:
                return None
            left[0] -= 1
            return what()

        self.front.mischief = mischief


@asynccontextmanager
async def aws(
    folder: Path, scenario: str = "healthy", servers: int = 6, seed: int = 1
) -> AsyncIterator[Aws]:
    async with Lab(scenario, servers, seed, transport="ssm") as lab:
        here = Aws(lab, folder)
        yield here
        assert lab.errors == []
        assert here.front.limits.refused == 0
