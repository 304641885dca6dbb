"""Which instances an account has: the lab's servers as the cloud sees them, and others.

Nothing here runs anything; what is known of an instance is worked out when
it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from volact_lab.ssh.slot import Slot

OfSlot = Callable[[Slot], "Instance"]


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance as its owner sees it in the console.

    ``agent`` is "Online", "Offline", or "" where none is installed; ``state`` is
    "RUNNING", or another of which each cloud has its own word.
    """

    id: str
    name: str
    region: str
    os_name: str
    image: str
    address: str
    state: str = "RUNNING"
    agent: str = "Online"
    license: str = ""
    vpc: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> str:
        """Windows or Linux."""
        return "Windows" if "windows" in self.os_name.lower() else "Linux"

    @property
    def kind(self) -> str:
        """The first part of its id."""
        return self.id.partition("-")[0]


class Estate:
    """Every instance of a lab, by its id."""

    def __init__(
        self, slots: Iterable[Slot], of_slot: OfSlot, others: Iterable[Instance] = ()
    ) -> None:
        self._of_slot = of_slot
        self._slots = {slot.spec.instance_id: slot for slot in slots}
        self._others = {instance.id: instance for instance in others}
        self._changes: dict[str, dict[str, str]] = {}

    def slot(self, instance_id: str) -> Slot | None:
        """The simulated server that an instance is, if it is one."""
        return self._slots.get(instance_id)

    def find(self, instance_id: str) -> Instance | None:
        """An instance by its id."""
        slot = self._slots.get(instance_id)
        found = self._of_slot(slot) if slot else self._others.get(instance_id)
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

    def regions(self) -> Iterator[str]:
        """Every region that has an instance, each once."""
        yield from dict.fromkeys(self.region_of(name) for name in (*self._slots, *self._others))

    def region_of(self, instance_id: str) -> str:
        """Where an instance is, ``""`` for one that does not exist."""
        slot = self._slots.get(instance_id)
        if slot is not None:
            return slot.spec.region
        other = self._others.get(instance_id)
        return other.region if other else ""
