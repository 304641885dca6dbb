"""A lab behind Alibaba Cloud's API, and volact's own ways to it, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tencent_cloud import FAST, QUICK_PAUSES

from volact.cloud.alibaba.account import AlibabaAccount
from volact.cloud.alibaba.run_command import AssistantCommand
from volact.cloud.alibaba.sdk import Keys
from volact.cloud.alibaba.settings import AlibabaSettings
from volact.cloud.base import Timing
from volact.threads import BlockingCalls
from volact.transports.run_command.batcher import Batcher
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


class Alibaba:
    """One lab, its API, and how it is asked."""

    def __init__(self, lab: Lab, folder: Path, account: Account | None = None) -> None:
        front = lab.clouds["ecs"]
        assert isinstance(front, AlibabaFront)
        self.lab = lab
        self.front = front
        self.own = account or front.account
        path = keys_file(folder / f"{self.own.access_key}.ini", self.own)
        self.settings = AlibabaSettings(endpoint=front.endpoint, credentials=str(path))
        self.account = AlibabaAccount(Keys(self.settings), BlockingCalls(), QUICK_PAUSES)

    def region(self, name: str = HOME, timing: Timing = FAST) -> Batcher:
        return Batcher(AssistantCommand(self.account.calls(name)), timing)

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
async def alibaba(
    folder: Path, scenario: str = "healthy", servers: int = 6, seed: int = 1
) -> AsyncIterator[Alibaba]:
    async with Lab(scenario, servers, seed, transport="ecs") as lab:
        here = Alibaba(lab, folder)
        yield here
        assert lab.errors == []
        assert here.front.limits.refused == 0
