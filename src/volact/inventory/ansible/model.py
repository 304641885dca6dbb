"""Hosts, groups and variables of an Ansible inventory, each with its place.  Pure.

How they are written is ``ini``'s and ``yaml_file``'s, what a variable means to
volact is ``meaning``'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from volact.errors import InputError
from volact.model.text import say

Vars = Mapping[str, "Var"]

# Groups that every inventory has, and that mean nothing for a host.
_ALL, _UNGROUPED = "all", "ungrouped"
_DEEPEST = 100


class Var(msgspec.Struct, frozen=True):
    """A variable as it is written: one text or a list of texts.

    ``None`` is YAML's null.  ``vault`` marks a value that only Ansible can
    read; ``where`` is file and line.
    """

    value: str | tuple[str, ...] | None
    where: str
    vault: bool = False

    @property
    def is_template(self) -> bool:
        """Whether only Ansible knows what this comes to."""
        texts = self.value if isinstance(self.value, tuple) else (self.value or "",)
        return any("{{" in text or "{%" in text for text in texts)


class Host(msgspec.Struct):
    """A host, the line it is first named on, its groups and its own variables."""

    name: str
    line: int
    groups: dict[str, None] = {}
    variables: dict[str, Var] = {}


class HostGroup(msgspec.Struct):
    """A group, its parents and its variables."""

    name: str
    parents: dict[str, None] = {}
    variables: dict[str, Var] = {}


class InventoryTree:
    """All hosts and groups of an inventory."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self.groups: dict[str, HostGroup] = {name: HostGroup(name) for name in (_ALL, _UNGROUPED)}
        self._lines: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._depths: dict[str, int] = {}

    def group(self, name: str) -> HostGroup:
        """A group, made when it is first named."""
        return self.groups.setdefault(name, HostGroup(name))

    def add_host(self, name: str, group: str, line: int, variables: Vars) -> None:
        """Put a host into a group; its earlier variables stay unless they are set anew."""
        host = self.hosts.setdefault(name, Host(name, line))
        host.groups[group] = None
        host.variables.update(variables)

    def line_of(self, host: Host) -> tuple[str, ...]:
        """The groups of a host and those above them, the farthest first."""
        key = tuple(host.groups)
        if key not in self._lines:
            found: dict[str, None] = {_ALL: None}
            for name in key:
                found.update(dict.fromkeys(self._above(name)))
            self._lines[key] = tuple(sorted(found, key=self._rank))
        return self._lines[key]

    def tags_of(self, host: Host) -> tuple[str, ...]:
        """The groups as tags, the nearest first."""
        names = reversed(self.line_of(host))
        return tuple(name for name in names if name not in (_ALL, _UNGROUPED))

    def _above(self, name: str) -> Iterator[str]:
        """A group and all above it."""
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            current = waiting.pop()
            if current not in seen:
                seen.add(current)
                waiting += self.groups[current].parents
                yield current

    def _rank(self, name: str) -> tuple[int, int, str]:
        """Ansible's order of groups: depth, priority, name; ``all`` comes first."""
        priority = self.groups[name].variables.get("ansible_group_priority")
        number = priority.value if priority and isinstance(priority.value, str) else "1"
        return (self._depth(name), int(number) if re.fullmatch(r"[0-9]{1,9}", number) else 1, name)

    def _depth(self, name: str, below: tuple[str, ...] = ()) -> int:
        if name == _ALL:
            return 0
        if name in below:
            raise InputError(say("group {name} is among its own children", name=repr(name)))
        if len(below) == _DEEPEST:
            raise InputError(
                say(
                    "groups are nested more than {deepest} deep, at {name}",
                    deepest=_DEEPEST,
                    name=repr(name),
                )
            )
        if name not in self._depths:
            parents = self.groups[name].parents
            depths = [self._depth(parent, (*below, name)) for parent in parents]
            self._depths[name] = 1 + max(depths, default=0)
        return self._depths[name]
