"""Virtual machines and their managed run-commands: calls as functions, answers as values.

When to call is for ``volact.transports.run_command``; what a state means is in
``run_command``.
"""

from __future__ import annotations

from volact.cloud.azure.calls import ArmValue, Calls

VERSION = {"api-version": "2024-07-01"}
VIEW = {**VERSION, "$expand": "instanceView"}
LONGEST_S = 86_400


class Status(ArmValue, frozen=True):
    """A part of an instance's state: ``PowerState/running``, ``ProvisioningState/succeeded``."""

    code: str | None = None
    display_status: str | None = None


class _Agent(ArmValue, frozen=True):
    statuses: tuple[Status, ...] = ()


class _View(ArmValue, frozen=True):
    vm_agent: _Agent | None = None
    statuses: tuple[Status, ...] = ()


class _Disk(ArmValue, frozen=True):
    os_type: str | None = None


class ImageReference(ArmValue, frozen=True):
    """The image that a machine was made of; ``publisher`` is of the marketplace."""

    publisher: str | None = None
    offer: str | None = None
    sku: str | None = None
    id: str | None = None


class _Storage(ArmValue, frozen=True):
    os_disk: _Disk = _Disk()
    image_reference: ImageReference | None = None


class _Role(ArmValue, frozen=True):
    primary: bool | None = None


class _Interface(ArmValue, frozen=True):
    id: str | None = None
    properties: _Role = _Role()


class _Network(ArmValue, frozen=True):
    network_interfaces: tuple[_Interface, ...] = ()


class _Hardware(ArmValue, frozen=True):
    vm_size: str | None = None


class Properties(ArmValue, frozen=True):
    """What a machine is."""

    provisioning_state: str | None = None
    license_type: str | None = None
    hardware_profile: _Hardware | None = None
    storage_profile: _Storage = _Storage()
    network_profile: _Network | None = None
    instance_view: _View | None = None


class Machine(ArmValue, frozen=True):
    """One virtual machine; ``id`` has its group."""

    id: str
    name: str
    location: str
    properties: Properties
    zones: tuple[str, ...] | None = None
    tags: dict[str, str] | None = None


class Run(ArmValue, frozen=True):
    """Where a script stands, and what it has brought."""

    execution_state: str | None = None
    execution_message: str | None = None
    exit_code: int | None = None
    output: str | None = None
    error: str | None = None


class _RunProperties(ArmValue, frozen=True):
    provisioning_state: str | None = None
    instance_view: Run | None = None


class RunCommandState(ArmValue, frozen=True):
    """A managed run-command of a machine."""

    properties: _RunProperties


class _Done(ArmValue, frozen=True):
    pass


def _command(calls: Calls, machine: str, name: str) -> str:
    return calls.path("Compute", "virtualMachines", machine, "runCommands", name)


async def machine_of(calls: Calls, name: str) -> Machine:
    """A machine and its state."""
    return await calls.ask("GET", calls.path("Compute", "virtualMachines", name), VIEW, Machine)


async def start(  # noqa: PLR0913  (what a call needs)
    calls: Calls, machine: str, location: str, script: str, *, name: str, timeout_s: int
) -> None:
    """Start PowerShell on a machine, under a name that it does not have yet."""
    properties = {
        "source": {"script": script},
        "asyncExecution": True,  # or the call's end is the script's
        "timeoutInSeconds": timeout_s,
    }
    body = {"location": location, "properties": properties}
    await calls.ask("PUT", _command(calls, machine, name), VERSION, _Done, body)


async def state_of(calls: Calls, machine: str, name: str) -> RunCommandState:
    """Where a script stands."""
    return await calls.ask("GET", _command(calls, machine, name), VIEW, RunCommandState)


async def delete(calls: Calls, machine: str, name: str) -> None:
    """End a script and forget it; a machine keeps 25 of them at most."""
    await calls.ask("DELETE", _command(calls, machine, name), VERSION, _Done)
