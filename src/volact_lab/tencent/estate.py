"""The lab's servers as instances of the account, and what else it has."""

from __future__ import annotations

from collections.abc import Iterable

from volact_lab.faults.images import OWN_LICENSE
from volact_lab.instances.estate import Instance
from volact_lab.ssh.slot import Slot
from volact_lab.tencent.images import LICENSE

VPCS = ("vpc-lab00001", "vpc-lab00002")


def of_slot(slot: Slot) -> Instance:
    """A server of the lab as an instance."""
    spec, machine = slot.spec, slot.machine
    return Instance(
        id=spec.instance_id,
        name=spec.name,
        region=spec.region,
        os_name=f"Windows Server {spec.release} {spec.edition} 64-bit",
        image=machine.metadata["instance/image-id"],
        address=machine.address,
        agent="Offline" if slot.line == "refused" else "Online",
        license="BYOL" if OWN_LICENSE in spec.faults else LICENSE,
        vpc=VPCS[spec.index % len(VPCS)],
        tags={"role": spec.name.partition("-")[0], "lab": "volact"},
    )


def strangers(regions: Iterable[str]) -> tuple[Instance, ...]:
    """What else an account has in its regions and volact must leave alone."""
    return tuple(
        Instance(
            id=f"ins-linux{index:03d}",
            name=f"linux-{index}",
            region=region,
            os_name="TencentOS Server 3.1 (TK4)",
            image="img-lablinux",
            address=f"10.250.0.{index + 1}",
            license=LICENSE,
            vpc=VPCS[0],
        )
        for index, region in enumerate(regions)
    )
