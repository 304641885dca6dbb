"""The lab's servers as instances of the account, and what else it has."""

from __future__ import annotations

from collections.abc import Iterable

from volact_lab.aws.home import HOME
from volact_lab.instances.estate import Instance
from volact_lab.ssh.slot import Slot

BYOL = "RunInstances:0800"
LINUX = "RunInstances"
VPCS = ("vpc-0lab0001", "vpc-0lab0002")


def of_slot(slot: Slot) -> Instance:
    """A server of the lab as an instance."""
    spec = slot.spec
    own = "aws-own-licence" in spec.faults
    return Instance(
        id=spec.instance_id,
        name=spec.name,
        region=spec.region,
        os_name=f"Windows Server {spec.release} {spec.edition}",
        image="ami-0a1b2c3d4e5f60718",
        address=slot.machine.address,
        agent="Offline" if slot.line == "refused" else "Online",
        license=BYOL if own else HOME.license,
        vpc=VPCS[spec.index % len(VPCS)],
        tags={"Name": spec.name, "role": spec.name.partition("-")[0], "lab": "volact"},
    )


def strangers(regions: Iterable[str]) -> tuple[Instance, ...]:
    """What else an account has in its regions and volact must leave alone."""
    return tuple(
        Instance(
            id=f"i-{index:017x}",
            name=f"linux-{index}",
            region=region,
            os_name="Amazon Linux 2023",
            image="ami-0a0a0a0a0a0a0a0a0",
            address=f"10.251.0.{index + 1}",
            license=LINUX,
            vpc=VPCS[0],
            tags={"Name": f"linux-{index}"},
        )
        for index, region in enumerate(regions)
    )
