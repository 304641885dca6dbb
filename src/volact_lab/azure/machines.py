"""Virtual machines and their managed run-commands, version 2024-07-01: JSON in, JSON out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from volact_lab.azure.estate import LOCATION
from volact_lab.azure.tokens import Principal
from volact_lab.instances.estate import Estate, Instance
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.tasks import UNSTARTED, Invocations, Order, Task

Answer = dict[str, Any]
MAX_COMMANDS, MAX_OUTPUT = 25, 4096
# The life of a task: the state of the resource, and that of the script.
STATES = {
    "PENDING": ("Creating", "Pending"),
    "DELIVERING": ("Creating", "Pending"),
    "RUNNING": ("Succeeded", "Running"),
    "SUCCESS": ("Succeeded", "Succeeded"),
    "FAILED": ("Succeeded", "Failed"),
    "TIMEOUT": ("Succeeded", "TimedOut"),
    "CANCELLED": ("Succeeded", "Canceled"),
    "TERMINATED": ("Succeeded", "Canceled"),
    "START_FAILED": ("Failed", "Unknown"),
}
_NAME = re.compile(r"[-\w.]{1,80}")


class Machines:
    """Runs commands on the machines of an estate."""

    def __init__(self, estate: Estate, invocations: Invocations) -> None:
        self._estate = estate
        self._invocations = invocations
        self._commands: dict[str, dict[str, str]] = {}  # by machine: invocations by name
        self.most = 50  # machines of a page
        self.network_group = ""  # of every network interface; "" means the machine's own

    def left(self, machine: str) -> list[str]:
        """The run-commands that a machine has."""
        return list(self._commands.get(machine, ()))

    def find(self, scope: str, name: str) -> Instance:
        """The machine of a name in a group."""
        found = self._estate.find(name)
        if found is None or found.region.lower() != scope.lower():
            raise ApiFault(
                "ResourceNotFound", f"The Resource 'virtualMachines/{name}' was not found."
            )
        return found

    def show(self, machine: Instance) -> Answer:
        """A machine with its instance view."""
        ready = "Ready" if machine.agent == "Online" else "Not Ready"
        agent = [{"code": "ProvisioningState/succeeded", "displayStatus": ready}]
        power = {"RUNNING": "running", "STOPPED": "deallocated"}.get(machine.state, "unknown")
        row = self.row(machine)
        row["properties"]["instanceView"] = {
            **({"vmAgent": {"statuses": agent}} if machine.agent else {}),
            "statuses": [{"code": "ProvisioningState/succeeded"}, {"code": f"PowerState/{power}"}],
        }
        return row

    def page(self, scope: str, start: int, *, network: bool) -> tuple[list[Answer], int | None]:
        """Machines, or their interfaces, of a subscription or group, and where the next page is."""
        rows = [
            instance
            for region in self._estate.regions()
            if f"{self._network(region) if network else region}/".lower().startswith(
                f"{scope}/".lower()
            )
            for instance in self._estate.in_region(region)
        ]
        after = start + self.most
        make = self.interface if network else self.row
        return [make(one) for one in rows[start:after]], after if after < len(rows) else None

    def row(self, machine: Instance) -> Answer:
        """A machine without its instance view, as lists have it."""
        image = {"publisher": machine.license, "offer": machine.image, "sku": "lab"}
        hybrid = machine.license == "Windows_Server"
        interface = {"id": self._interface(machine).upper(), "properties": {"primary": True}}
        return {
            "id": f"{_prefix(machine.region)}/Microsoft.Compute/virtualMachines/{machine.id}",
            "name": machine.id,
            "type": "Microsoft.Compute/virtualMachines",
            "location": LOCATION,
            "zones": [machine.vpc],
            "tags": dict(machine.tags),
            "properties": {
                "provisioningState": "Succeeded",
                "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
                "storageProfile": {
                    "osDisk": {"osType": machine.environment},
                    "imageReference": {"id": "/galleries/own"} if hybrid else image,
                },
                "networkProfile": {"networkInterfaces": [interface]},
                **({"licenseType": machine.license} if hybrid else {}),
            },
        }

    def interface(self, machine: Instance) -> Answer:
        """The network interface of a machine."""
        second = {
            "primary": False,
            "privateIPAddress": f"192.168.{machine.address.split('.', 2)[2]}",
        }
        first = {"primary": True, "privateIPAddress": machine.address}
        addresses = [{"name": "ip", "properties": address} for address in (second, first)]
        return {"id": self._interface(machine), "properties": {"ipConfigurations": addresses}}

    def start(
        self, machine: Instance, name: str, asked: Mapping[str, Any], by: Principal
    ) -> Answer:
        """Make a run-command, which starts at once."""
        about = asked.get("properties", {})
        script, timeout = about.get("source", {}).get("script"), about.get("timeoutInSeconds", 5400)
        if set(about) - {"source", "asyncExecution", "timeoutInSeconds"} or not script:
            raise ApiFault("BadRequest", "A limit of the lab: other properties are not modelled.")
        if asked.get("location") != LOCATION or not _NAME.fullmatch(name) or timeout < 1:
            raise ApiFault("InvalidParameter", "The location, name or timeout is not valid.")
        slot = self._estate.slot(machine.id)
        if machine.id in by.denied or (slot is not None and slot.line == "auth"):
            raise ApiFault(
                "AuthorizationFailed",
                "The client does not have authorization to perform action "
                f"'Microsoft.Compute/virtualMachines/runCommands/write' on {machine.id}.",
            )
        if machine.state != "RUNNING" or machine.environment != "Windows":
            raise ApiFault("OperationNotAllowed", "The VM is not running.")
        own = self._commands.setdefault(machine.id, {})
        if name in own or len(own) >= MAX_COMMANDS:
            raise ApiFault("OperationNotAllowed", "The VM has too many run-commands.")
        own[name] = self._invocations.start(Order(script.encode(), timeout), {machine.id: slot})
        return self.state(machine, name)

    def state(self, machine: Instance, name: str) -> Answer:
        """A run-command with its instance view."""
        task = self._task(machine, name)
        made, stands = STATES.get(task.status, ("Succeeded", task.status))
        view = {"executionState": stands, "executionMessage": task.error, "exitCode": 0}
        if stands in ("Succeeded", "Failed"):
            errors = task.errors[-MAX_OUTPUT:].decode("utf-8", "replace")
            view |= {"exitCode": task.exit_code, "output": task.output.decode(), "error": errors}
        about = {"provisioningState": made, "asyncExecution": True, "instanceView": view}
        return {"name": name, "location": LOCATION, "properties": about}

    def delete(self, machine: Instance, name: str) -> None:
        """Forget a run-command; a script that runs is ended."""
        task = self._task(machine, name)
        if task.status in UNSTARTED | {"RUNNING"}:
            task.cancelled.set()
        del self._commands[machine.id][name]

    def _network(self, region: str) -> str:
        """The subscription and group that have the network interfaces of a group's machines."""
        subscription = region.partition("/")[0]
        return f"{subscription}/{self.network_group}" if self.network_group else region

    def _interface(self, machine: Instance) -> str:
        prefix = _prefix(self._network(machine.region))
        return f"{prefix}/Microsoft.Network/networkInterfaces/{machine.id}-nic"

    def _task(self, machine: Instance, name: str) -> Task:
        invocation = self._commands.get(machine.id, {}).get(name)
        if invocation is None:
            raise ApiFault("ResourceNotFound", f"The Resource 'runCommands/{name}' was not found.")
        (task,) = self._invocations.of(invocation)
        return task


def _prefix(region: str) -> str:
    subscription, _, group = region.partition("/")
    return f"/subscriptions/{subscription}/resourceGroups/{group.upper()}/providers"
