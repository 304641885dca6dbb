"""A lab behind Azure's API, and volact's own ways to it, for tests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path

from cloud_lab import QUICK_PAUSES, CloudLab, checked
from msgspec.structs import replace

from volact.cloud.account import RegionAccount
from volact.cloud.azure.account import account_of
from volact.cloud.azure.calls import Calls
from volact.cloud.azure.declaration import AzureSettings
from volact.cloud.azure.sdk import Keys
from volact.cloud.base import RunCommand
from volact.threads import BlockingCalls
from volact_lab.azure import api
from volact_lab.azure.front import AzureFront
from volact_lab.azure.home import HOME as CLOUD
from volact_lab.lab import Lab

HOME = CLOUD.regions[0]
SUBSCRIPTION = HOME.partition("/")[0]


class Azure(CloudLab[AzureFront]):
    """One lab, its API, and how it is asked."""

    home = HOME

    def __init__(self, lab: Lab, folder: Path) -> None:
        front = lab.clouds["azure"]
        assert isinstance(front, AzureFront)
        super().__init__(lab, front)
        path = folder / "lab.toml"
        for file, data in api.secrets(front, path).items():
            file.write_bytes(data)
        named = api.settings(front, path)
        self.settings = AzureSettings(
            endpoint=front.endpoint,
            credentials=str(folder / named["azure-credentials"]),
            authorities=str(folder / named["azure-authorities"]),
        )
        self.keys = Keys(self.settings)

    @cached_property
    def account(self) -> RegionAccount[Calls]:
        return account_of(self.keys, BlockingCalls(), QUICK_PAUSES)

    def command(self, region: str) -> RunCommand:
        return self.account.run_command(region)

    def kept(self, instance: str) -> list[str]:
        """The files of answers that a server still has."""
        slot = self.front.estate.slot(instance)
        assert slot is not None
        folder = slot.machine.files.children("C:\\Windows\\TEMP")
        return [node.name for node in folder if node.name.endswith(".txt")]

    def with_principal(self, **changes: str | None) -> AzureSettings:
        """The settings with another principal in the file."""
        path = Path(self.settings.credentials)
        told = {**json.loads(path.read_bytes()), **changes}
        other = path.with_suffix(".other")
        other.write_text(json.dumps({name: value for name, value in told.items() if value}))
        return replace(self.settings, credentials=str(other))


@asynccontextmanager
async def azure(
    folder: Path, scenario: str = "healthy", servers: int = 6, seed: int = 1
) -> AsyncIterator[Azure]:
    async with (
        Lab(scenario, servers, seed, transport="azure") as lab,
        checked(Azure(lab, folder)) as here,
    ):
        yield here
