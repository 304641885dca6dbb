"""The lab's servers as machines of the account, and what else it has."""

from __future__ import annotations

from collections.abc import Iterable

from volact_lab.azure.home import HOME
from volact_lab.instances.estate import Instance
from volact_lab.ssh.slot import Slot

LOCATION = "westeurope"


def of_slot(slot: Slot) -> Instance:
    """A server of the lab as a machine; ``vpc`` is its availability zone."""
    spec = slot.spec
    return Instance(
        id=spec.instance_id,
        name=spec.name,
        region=spec.region,
        os_name=f"Windows Server {spec.release} {spec.edition}",
        image="WindowsServer",
        address=slot.machine.address,
        agent="Offline" if slot.line == "refused" else "Online",
        license=HOME.license,
        vpc=str(spec.index % 3 + 1),
        tags={"role": spec.name.partition("-")[0], "lab": "volact"},
    )


def strangers(regions: Iterable[str]) -> tuple[Instance, ...]:
    """What else an account has in its groups and volact must leave alone."""
    return tuple(
        Instance(
            id=f"linux-{index}",
            name=f"linux-{index}",
            region=region,
            os_name="Ubuntu",
            image="ubuntu-24_04-lts",
            address=f"10.253.0.{index + 1}",
            license="Canonical",
            vpc="1",
        )
        for index, region in enumerate(regions)
    )
