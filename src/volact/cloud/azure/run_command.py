"""Managed run-commands as a ``RunCommand``: who is ready, what is started, what came of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec

from volact.agent.packed_answer import PART, Part, part_of, unpacked
from volact.agent.wrap import answering_powershell, further_powershell
from volact.cloud.azure import vm
from volact.cloud.azure.calls import Calls
from volact.cloud.base import (
    ApiError,
    CommandLimits,
    PollInterval,
    RunCommand,
    TaskOutput,
    TaskState,
    Timing,
)
from volact.cloud.ends import OUT_OF_TIME, STOPPED, error_of_end, other_system, undelivered
from volact.cloud.failures import Meaning
from volact.errors import TransportError, one_line
from volact.model.text import say

LIMITS = CommandLimits(
    service="Run Command",
    start_batch=1,
    readiness_batch=1,
    cancel_batch=1,
    invocations_per_poll=1,
    script_bytes=48 * 1024,  # before it is packed
    output_bytes=24 * 1024,  # after it is unpacked
    longest_s=vm.LONGEST_S,
    timing=Timing(poll=PollInterval(first_s=1.0, growth=1.5, longest_s=10.0)),
)
_UNFINISHED = frozenset({"Unknown", "Pending", "Running"})
# The script ran to its end.  Its output shows whether it answered; the two
# states differ in its exit code alone.
_ENDED = frozenset({"Succeeded", "Failed"})
_SERVICE = say("is the service WindowsAzureGuestAgent running there?")
_PART_S = 60  # for a script that gives a part of an answer
_ENDS = {"TimedOut": OUT_OF_TIME, "Canceled": STOPPED}
_SILENT = Meaning("agent", say("the script failed and wrote nothing"))


class _Coming(msgspec.Struct, frozen=True):
    """An answer in parts: the run-command of the next one, and what has come."""

    command: str
    part: Part


class AzureCommand(RunCommand):
    """The run-command of one resource group."""

    limits = LIMITS

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._locations: dict[str, str] = {}
        self._coming: dict[str, _Coming] = {}  # by the name of the first run-command

    async def readiness(self, instances: Sequence[str]) -> Mapping[str, TransportError | None]:
        """Whether machines run and their agents are ready."""
        return {name: unfit(await self._machine(name)) for name in instances}

    async def start(
        self, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
    ) -> str:
        """Start a ``.bat`` on one machine."""
        (machine,) = instances
        own = f"{name}-{secrets.token_hex(4)}"
        await self._start(machine, answering_powershell(script, own), own, timeout_s)
        return own

    async def tasks_of(self, open_tasks: Mapping[str, Sequence[str]]) -> Sequence[TaskState]:
        """The states of scripts; what has ended is deleted."""
        return [
            await self._state(machine, name)
            for name, machines in open_tasks.items()
            for machine in machines
        ]

    async def cancel(self, invocation: str, instances: Sequence[str]) -> None:
        """End a script and delete it, and what it has kept of an answer."""
        for machine in instances:
            if invocation not in self._coming:  # it may have ended since the last poll
                with suppress(ApiError):
                    _, part = outcome(await vm.state_of(self._calls, machine, invocation))
                    if isinstance(part, Part):
                        self._coming[invocation] = _Coming(invocation, part)
            await self._end(machine, invocation)

    async def _machine(self, name: str) -> vm.Machine:
        machine = await vm.machine_of(self._calls, name)
        self._locations[name] = machine.location
        return machine

    async def _start(self, machine: str, script: str, name: str, timeout_s: int) -> None:
        if machine not in self._locations:
            await self._machine(machine)
        location = self._locations[machine]
        await vm.start(self._calls, machine, location, script, name=name, timeout_s=timeout_s)

    async def _state(self, machine: str, name: str) -> TaskState:
        coming = self._coming.get(name)
        own, before = (coming.command, coming.part.text) if coming else (name, b"")
        state = await vm.state_of(self._calls, machine, own)
        status, result = outcome(state, before)
        with suppress(ApiError):  # nothing about the result is wrong
            if isinstance(result, TaskOutput):
                self._coming.pop(name, None)
                await vm.delete(self._calls, machine, own)
            elif isinstance(result, TransportError):
                await self._end(machine, name)
        if isinstance(result, Part):
            await self._go_on(machine, name, own, result, view_of(state).exit_code or 0)
            result = None
        return TaskState(invocation=name, instance=machine, status=status, result=result)

    async def _go_on(self, machine: str, name: str, own: str, part: Part, code: int) -> None:
        """Have the next part of an answer given; that which gave the last is deleted."""
        start = len(part.text)
        command = f"{name}-{start}"
        await self._start(machine, further_powershell(name, start, code), command, _PART_S)
        self._coming[name] = _Coming(command, part)
        with suppress(ApiError):
            await vm.delete(self._calls, machine, own)

    async def _end(self, machine: str, name: str) -> None:
        """Delete what is under way; the last part of an answer takes its file with it."""
        coming = self._coming.pop(name, None)
        await vm.delete(self._calls, machine, coming.command if coming else name)
        if coming is None:
            return
        last = f"{name}-end"
        await self._start(machine, further_powershell(name, coming.part.size - 1), last, _PART_S)
        for _ in range(_PART_S):  # then Azure has ended it
            if outcome(await vm.state_of(self._calls, machine, last))[1] is not None:
                break
            await asyncio.sleep(1)
        await vm.delete(self._calls, machine, last)


def unfit(machine: vm.Machine) -> TransportError | None:
    """Why a machine cannot be asked; ``None`` when it seems that it can."""
    system = machine.properties.storage_profile.os_disk.os_type
    if system not in (None, "Windows"):
        return other_system(system)
    view = machine.properties.instance_view
    codes = [status.code or "" for status in (view.statuses if view else ())]
    power = next((c.partition("/")[2] for c in codes if c.startswith("PowerState/")), "unknown")
    if power != "running":
        return TransportError(
            "connect", say("the machine is {status}", status=one_line(power, 40)), say("start it")
        )
    agent = view.vm_agent if view else None
    told = [status.display_status or "unknown" for status in (agent.statuses if agent else ())]
    if "Ready" in told:
        return None
    status = one_line(", ".join(told) or "unknown", 40)
    return TransportError(
        "connect", say("the Azure agent is not ready ({status})", status=status), _SERVICE
    )


def view_of(state: vm.RunCommandState) -> vm.Run:
    """Where its script stands."""
    return state.properties.instance_view or vm.Run()


def outcome(
    state: vm.RunCommandState, before: bytes = b""
) -> tuple[str, TaskOutput | TransportError | Part | None]:
    """Where a script stands in the API's own words, and what it brought if it has ended.

    ``before`` is what has come of its answer; a ``Part`` is one that goes on.
    """
    view = view_of(state)
    made, stands = state.properties.provisioning_state, view.execution_state or "Pending"
    status = one_line(": ".join(filter(None, (stands, view.execution_message))))
    if stands in _ENDED:
        # With nothing written, the message alone says why, as of a script that could not start.
        silent = not (before or view.output or view.error) and view.execution_message
        if stands == "Failed" and silent:
            return status, error_of_end(_SILENT, status)
        return status, output(view, before)
    if stands not in _UNFINISHED:
        return status, error_of_end(_ENDS.get(stands), status)
    if made == "Failed" and stands != "Running":  # it never came to the agent
        return status, error_of_end(undelivered(_SERVICE), status)
    return status, None


def output(run: vm.Run, before: bytes) -> TaskOutput | TransportError | Part:
    """What a script wrote.  Of what is not in the agreed form everything is kept."""
    # Text that no encoding takes is what JSON can hold.
    stdout, stderr = ((said or "").encode("utf-8", "replace") for said in (run.output, run.error))
    part = part_of(stdout, stderr, before)
    if part is None and not before:
        return TaskOutput(stdout, stderr, run.exit_code, -1 if len(stdout) >= PART else 0)
    if part is not None and part.goes_on and len(part.text) > len(before):
        return part
    try:
        whole, dropped = unpacked(part or Part(0, b""), LIMITS.output_bytes)
    except ValueError:
        return TransportError("protocol", say("the answer line is incomplete or damaged"))
    return TaskOutput(whole, part.stderr if part else b"", run.exit_code, dropped)
