"""A lab behind Tencent Cloud's API, and volact's own ways to it, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tencentcloud.common.credential import Credential

from volact.cloud.base import Account as CloudAccount
from volact.cloud.base import Cloud as CloudDeclaration
from volact.cloud.base import PollInterval, Timing
from volact.cloud.tencent.account import TencentAccount
from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.keys import Keys
from volact.cloud.tencent.run_command import TatCommand
from volact.cloud.tencent.settings import TencentSettings
from volact.errors import TransportError
from volact.model.account import AccountSettings
from volact.model.server import Address, Server
from volact.threads import BlockingCalls
from volact.transports.base import Raw
from volact.transports.run_command.batcher import Batcher
from volact.transports.run_command.service import RunCommandService
from volact.transports.run_command.transport import RunCommandTransport
from volact_lab.instances.faults import ApiFault
from volact_lab.lab import Lab
from volact_lab.tencent.front import TencentFront
from volact_lab.tencent.signature import Account as LabAccount

FAST = Timing(window_s=0.02, poll=PollInterval(first_s=0.03, growth=1.5, longest_s=0.2))
QUICK_PAUSES = (0.01, 0.02, 0.04, 0.08)
HOME = "ap-jakarta"


def bat(*lines: str) -> bytes:
    """A batch file, as its bytes travel."""
    return "\r\n".join(["@echo off", *lines, ""]).encode()


HELLO = bat("echo VOLACT1 hello from %COMPUTERNAME%", "exit 0")


def front_of(lab: Lab) -> TencentFront:
    assert isinstance(lab.cloud, TencentFront)
    return lab.cloud


class Cloud:
    """One lab, its API, and how it is asked."""

    def __init__(self, lab: Lab, keys: LabAccount | None = None) -> None:
        self.lab = lab
        self.front = front_of(lab)
        self.own = keys or self.front.account
        self.account = TencentSettings(endpoint=self.front.endpoint)
        self.ids = {name: slot.spec.instance_id for name, slot in lab.slots.items()}
        self.threads = BlockingCalls()

    def keys(self) -> Keys:
        own = self.own
        return Keys(Credential(own.secret_id, own.secret_key, own.token or None))

    def calls(self, region: str = HOME) -> Calls:
        return Calls(self.account, region, self.keys(), self.threads, QUICK_PAUSES)

    def region(self, name: str = HOME, timing: Timing = FAST) -> Batcher:
        return Batcher(TatCommand(self.calls(name)), timing)

    async def opened(self, _cloud: CloudDeclaration, settings: AccountSettings) -> CloudAccount:
        assert isinstance(settings, TencentSettings)
        return TencentAccount(settings, self.keys(), self.threads, QUICK_PAUSES)

    def service(self) -> RunCommandService:
        return RunCommandService(FAST, accounts=self.opened)

    def server(self, name: str, **changes: Any) -> Server:
        spec = self.lab.slots[name].spec
        address = Address(scheme="tat", host=f"{spec.region}/{spec.instance_id}")
        return Server(name=name, address=address, account=self.account, **changes)

    def some(self, count: int, *, line: str = "") -> list[str]:
        """Ids of servers whose connection is in order, or bad in one way."""
        slots = (slot for slot in self.lab.slots.values() if slot.line == line)
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


def fault(code: str, words: str = "because") -> Callable[[], ApiFault]:
    return lambda: ApiFault(code, words)


@asynccontextmanager
async def cloud(scenario: str = "healthy", servers: int = 6, seed: int = 1) -> AsyncIterator[Cloud]:
    async with Lab(scenario, servers, seed, transport="tat") as lab:
        yield Cloud(lab)
        assert lab.errors == []
        assert front_of(lab).limits.refused == 0


async def run_all(
    region: Batcher, instances: Sequence[str], script: bytes = HELLO, deadline_s: float = 10.0
) -> dict[str, Raw | TransportError]:
    """Run a script on every instance; what came of each."""

    async def one(instance: str) -> Raw | TransportError:
        transport = RunCommandTransport(region, instance, "salt")
        try:
            return await transport.run(script, name="volact-0123456789", deadline_s=deadline_s)
        except TransportError as error:
            return error

    results = await asyncio.gather(*(one(instance) for instance in instances))
    return dict(zip(instances, results, strict=True))


async def ready_all(region: Batcher, instances: Sequence[str]) -> dict[str, TransportError | None]:
    """Whether every instance can be asked."""

    async def one(instance: str) -> TransportError | None:
        try:
            await region.ready(instance)
        except TransportError as error:
            return error
        return None

    results = await asyncio.gather(*(one(instance) for instance in instances))
    return dict(zip(instances, results, strict=True))


def good(result: Raw | TransportError) -> Raw:
    assert isinstance(result, Raw), result
    return result


def bad(result: Raw | TransportError | None) -> TransportError:
    assert isinstance(result, TransportError), result
    assert "\n" not in result.line()
    return result


def profile_file(path: Path, **sections: LabAccount) -> Path:
    """A file of profiles."""
    parts = []
    for name, keys in sections.items():
        token = f"token = {keys.token}\n" if keys.token else ""
        parts.append(
            f"[{name}]\nsecret_id = {keys.secret_id}\nsecret_key = {keys.secret_key}\n{token}"
        )
    path.write_text("\n".join(parts))
    return path
