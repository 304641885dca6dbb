"""Which instances an account has: the lab's servers as the cloud sees them, and others.

Nothing here runs anything; what is known of an instance is worked out when
it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from volact_lab.faults.images import OWN_LICENSE
from volact_lab.ssh.slot import Slot
from volact_lab.tencent.images import LICENSE

VPCS = ("vpc-lab00001", "vpc-lab00002")


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance as its owner sees it in the console.

    ``agent`` is "Online", "Offline", or "" where none is installed.
    """

    id: str
    name: str
    region: str
    os_name: str
    image: str
    address: str
    state: str = "RUNNING"
    agent: str = "Online"
    license: str = "TencentCloud"
    vpc: str = VPCS[0]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> str:
        """Windows or Linux."""
        return "Windows" if "windows" in self.os_name.lower() else "Linux"

    @property
    def kind(self) -> str:
        """``ins`` for CVM, ``lhins`` for Lighthouse."""
        return self.id.partition("-")[0]


class Estate:
    """Every instance of a lab, by its id."""

    def __init__(self, slots: Iterable[Slot], others: Iterable[Instance] = ()) -> None:
        self._slots = {slot.spec.instance_id: slot for slot in slots}
        self._others = {instance.id: instance for instance in others}
        self._changes: dict[str, dict[str, str]] = {}

    def slot(self, instance_id: str) -> Slot | None:
        """The simulated server that an instance is, if it is one."""
        return self._slots.get(instance_id)

    def find(self, instance_id: str) -> Instance | None:
        """An instance by its id."""
        slot = self._slots.get(instance_id)
        found = of_slot(slot) if slot else self._others.get(instance_id)
        return replace(found, **self._changes.get(instance_id, {})) if found else None  # type: ignore[arg-type]

    def change(self, instance_id: str, **what: str) -> None:
        """Make an instance look otherwise from now on: its state, its agent."""
        self._changes.setdefault(instance_id, {}).update(what)

    def in_region(self, region: str, ids: Iterable[str] = ()) -> Iterator[Instance]:
        """The instances of a region, or those of them that have one of the ids."""
        wanted = set(ids)
        for instance_id in (*self._slots, *self._others):
            if (not wanted or instance_id in wanted) and self.region_of(instance_id) == region:
                found = self.find(instance_id)
                assert found is not None
                yield found

    def region_of(self, instance_id: str) -> str:
        """Where an instance is, ``""`` for one that does not exist."""
        slot = self._slots.get(instance_id)
        if slot is not None:
            return slot.spec.region
        other = self._others.get(instance_id)
        return other.region if other else ""


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
        )
        for index, region in enumerate(regions)
    )
