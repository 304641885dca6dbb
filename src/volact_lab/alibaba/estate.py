"""The lab's servers as instances of the account, and what else it has."""

from __future__ import annotations

from collections.abc import Iterable

from volact_lab.instances.estate import Instance
from volact_lab.ssh.slot import Slot

VPCS = ("vpc-lab00001", "vpc-lab00002")
PUBLIC = "win2022_21H2_x64_dtc_en-us_40G_alibase_20260101.vhd"
IMPORTED, OWN = "m-labimported", "m-labbyol"
# Who publishes an image, and the licence that was chosen at its import.
IMAGES = {PUBLIC: ("system", ""), IMPORTED: ("self", "Aliyun"), OWN: ("self", "BYOL")}


def of_slot(slot: Slot) -> Instance:
    """A server of the lab as an instance."""
    spec = slot.spec
    return Instance(
        id=spec.instance_id,
        name=spec.name,
        region=spec.region,
        os_name=f"Windows Server  {spec.release} {spec.edition} 64bit English Edition",
        image=PUBLIC,
        address=slot.machine.address,
        agent="Offline" if slot.line == "refused" else "Online",
        vpc=VPCS[spec.index % len(VPCS)],
        tags={"role": spec.name.partition("-")[0], "lab": "volact"},
    )


def strangers(regions: Iterable[str]) -> tuple[Instance, ...]:
    """What else an account has in its regions and volact must leave alone."""
    return tuple(
        Instance(
            id=f"i-bplinux{index:012d}",
            name=f"linux-{index}",
            region=region,
            os_name="Alibaba Cloud Linux  3.2104 LTS 64bit",
            image="aliyun_3_x64_20G_alibase_20260101.vhd",
            address=f"10.252.0.{index + 1}",
            vpc=VPCS[0],
        )
        for index, region in enumerate(regions)
    )
