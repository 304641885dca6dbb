"""An account of it: every machine answers with its own name, in 4,096 bytes at the most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from volact.cloud.base import (
    Account,
    CommandLimits,
    ListedInstance,
    PollInterval,
    ServerList,
    TaskOutput,
    TaskState,
    Timing,
)
from volact.errors import InputError, TransportError
from volact.model.server import AccountSettings


class AcmeCommand:
    limits = CommandLimits(
        service="Acme",
        start_batch=1,
        readiness_batch=1,
        cancel_batch=1,
        invocations_per_poll=1,
        script_bytes=256 * 1024,
        output_bytes=4096,
        longest_s=5400,
        timing=Timing(window_s=0.001, poll=PollInterval(first_s=0.001)),
    )

    def __init__(self, who: str) -> None:
        self._who = who

    def group(self, instance: str) -> str:
        return ""

    async def readiness(self, instances: Sequence[str]) -> Mapping[str, TransportError | None]:
        (instance,) = instances
        return {instance: TransportError("connect", "is off") if instance == "off" else None}

    async def start(
        self, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
    ) -> str:
        (instance,) = instances
        return f"/operations/{instance}"

    async def tasks_of(self, open_tasks: Mapping[str, Sequence[str]]) -> Sequence[TaskState]:
        ((operation, (instance,)),) = open_tasks.items()
        done = TaskOutput(f"{self._who}/{instance}".encode())
        return [TaskState(invocation=operation, instance=instance, status="Done", result=done)]

    async def tasks(self, ids: Sequence[str]) -> Sequence[TaskState]:
        raise AssertionError(ids)

    async def cancel(self, invocation: str, instances: Sequence[str]) -> None:
        return


class AcmeList:
    def __init__(self, scope: str) -> None:
        self._scope = scope

    async def list_servers(self, filters: Mapping[str, Sequence[str]]) -> ServerList:
        names = ("web", "db")
        found = (ListedInstance(id=n, place=f"{self._scope}/{n}", is_windows=True) for n in names)
        return ServerList(tuple(found), {})


class AcmeAccount:
    def __init__(self, who: str) -> None:
        self._who = who

    def run_command(self, scope: str) -> AcmeCommand:
        return AcmeCommand(f"{self._who}:{scope}")

    def list_servers(self, scope: str) -> AcmeList:
        return AcmeList(scope)


def check_account(settings: AccountSettings) -> None:
    if settings.tenant == "missing":  # type: ignore[attr-defined]  # AcmeSettings
        raise InputError("Acme knows no such tenant")


async def open_account(settings: AccountSettings) -> Account:
    return AcmeAccount(settings.tenant or "own")  # type: ignore[attr-defined]
