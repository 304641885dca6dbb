"""Managed run-commands as a ``RunCommand``: who is ready, what is started, what came of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress

from volact.agent.packed_answer import PART, answered
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
from volact.cloud.ends import OUT_OF_TIME, STOPPED, error_of_end, undelivered
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
_ENDS = {"TimedOut": OUT_OF_TIME, "Canceled": STOPPED}


class AzureCommand(RunCommand):
    """The run-command of one resource group."""

    limits = LIMITS

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._locations: dict[str, str] = {}

    async def readiness(self, instances: Sequence[str]) -> Mapping[str, TransportError | None]:
        """Whether machines run and their agents are ready."""
        found: dict[str, TransportError | None] = {}
        for name in instances:
            machine = await vm.machine_of(self._calls, name)
            self._locations[name] = machine.location
            found[name] = unfit(machine)
        return found

    async def start(
        self, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
    ) -> str:
        """Start a ``.bat`` on one machine."""
        (machine,) = instances
        own = f"{name}-{secrets.token_hex(4)}"
        location = self._locations.get(machine)
        if location is None:
            location = (await vm.machine_of(self._calls, machine)).location
        await vm.start(self._calls, machine, location, script, name=own, timeout_s=timeout_s)
        return own

    async def tasks_of(self, open_tasks: Mapping[str, Sequence[str]]) -> Sequence[TaskState]:
        """The states of scripts; what has ended is deleted."""
        states = []
        for name, machines in open_tasks.items():
            for machine in machines:
                state = await vm.state_of(self._calls, machine, name)
                status, result = outcome(state)
                states.append(
                    TaskState(invocation=name, instance=machine, status=status, result=result)
                )
                if result is not None:
                    with suppress(ApiError):  # nothing about the result is wrong
                        await vm.delete(self._calls, machine, name)
        return states

    async def cancel(self, invocation: str, instances: Sequence[str]) -> None:
        """End a script and delete it."""
        for machine in instances:
            await vm.delete(self._calls, machine, invocation)


def unfit(machine: vm.Machine) -> TransportError | None:
    """Why a machine cannot be asked; ``None`` when it seems that it can."""
    system = machine.properties.storage_profile.os_disk.os_type
    if system not in (None, "Windows"):
        return TransportError(
            "agent",
            say("the instance runs {platform_type}", platform_type=one_line(system, 40)),
        )
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


def outcome(state: vm.RunCommandState) -> tuple[str, TaskOutput | TransportError | None]:
    """Where a script stands in the API's own words, and what it brought if it has ended."""
    view = state.properties.instance_view or vm.Run()
    made, stands = state.properties.provisioning_state, view.execution_state or "Pending"
    status = one_line(": ".join(filter(None, (stands, view.execution_message))))
    if stands in _ENDED:
        return status, output(view)
    if stands not in _UNFINISHED:
        return status, error_of_end(_ENDS.get(stands), status)
    if made == "Failed" and stands != "Running":  # it never came to the agent
        return status, error_of_end(undelivered(_SERVICE), status)
    return status, None


def output(run: vm.Run) -> TaskOutput | TransportError:
    """What a script wrote.  Of what is not in the agreed form everything is kept."""
    # Text that no encoding takes is what JSON can hold.
    stdout, stderr = ((said or "").encode("utf-8", "replace") for said in (run.output, run.error))
    try:
        found = answered(stdout, stderr, LIMITS.output_bytes)
    except ValueError:
        return TransportError("protocol", say("the answer line is incomplete or damaged"))
    whole, stderr, dropped = found or (stdout, stderr, -1 if len(stdout) >= PART else 0)
    return TaskOutput(whole, stderr, run.exit_code, dropped)
