"""A lab behind Tencent Cloud's API, and volact's own ways to it, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cloud_lab import FAST, QUICK_PAUSES, CloudLab, checked

from volact.cloud.base import Account as CloudAccount
from volact.cloud.base import Cloud as CloudDeclaration
from volact.cloud.tencent.account import account_of
from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.declaration import TencentSettings
from volact.cloud.tencent.keys import ID, KEY, TOKENS, Keys
from volact.cloud.tencent.run_command import TatCommand
from volact.model.server import AccountSettings, Address, Server
from volact.threads import BlockingCalls
from volact.transports.run_command.transport import RunCommandService
from volact_lab.lab import Lab
from volact_lab.tencent.front import TencentFront
from volact_lab.tencent.signature import Account as LabAccount

HOME = "ap-jakarta"


def front_of(lab: Lab) -> TencentFront:
    assert isinstance(lab.cloud, TencentFront)
    return lab.cloud


class Cloud(CloudLab[TencentFront]):
    """One lab, its API, and how it is asked."""

    home = HOME

    def __init__(self, lab: Lab, keys: LabAccount | None = None) -> None:
        super().__init__(lab, front_of(lab))
        self.own = keys or self.front.account
        self.account = TencentSettings(endpoint=self.front.endpoint)
        self.ids = {name: slot.spec.instance_id for name, slot in lab.slots.items()}
        self.threads = BlockingCalls()

    def keys(self, settings: TencentSettings | None = None) -> Keys:
        own = self.own
        names = {ID: own.secret_id, KEY: own.secret_key, TOKENS[0]: own.token}
        return Keys(settings or self.account, names)

    def calls(self, region: str = HOME) -> Calls:
        return Calls(region, self.keys(), self.threads, QUICK_PAUSES)

    def command(self, region: str) -> TatCommand:
        return TatCommand(self.calls(region))

    async def opened(self, _cloud: CloudDeclaration, settings: AccountSettings) -> CloudAccount:
        assert isinstance(settings, TencentSettings)
        return account_of(self.keys(settings), self.threads, QUICK_PAUSES)

    def service(self) -> RunCommandService:
        return RunCommandService(FAST, accounts=self.opened)

    def server(self, name: str, **changes: Any) -> Server:
        spec = self.lab.slots[name].spec
        address = Address(scheme="tat", host=f"{spec.region}/{spec.instance_id}")
        return Server(name=name, address=address, account=self.account, **changes)


@asynccontextmanager
async def cloud(scenario: str = "healthy", servers: int = 6, seed: int = 1) -> AsyncIterator[Cloud]:
    async with (
        Lab(scenario, servers, seed, transport="tat") as lab,
        checked(Cloud(lab)) as here,
    ):
        yield here


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
