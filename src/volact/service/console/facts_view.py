"""A server's facts for a page: each known, absent or unreadable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from volact.core.facts import read_facts
from volact.model.fact import NOT_ASKED, Absent, Known, Unreadable
from volact.model.facts import Facts
from volact.report.words import label, value

State = Literal["known", "absent", "unreadable"]


class FactLine(msgspec.Struct, frozen=True):
    """One fact; ``code`` is why it is unreadable, where the server said so."""

    label: str
    state: State
    text: str = ""
    code: str = ""


class FactGroup(msgspec.Struct, frozen=True):
    """The facts of one group that were asked, and how many were not."""

    name: str
    lines: tuple[FactLine, ...]
    not_asked: int

    def count(self, state: State) -> int:
        """How many are in a state."""
        return sum(line.state == state for line in self.lines)


def fact_groups(raw: Mapping[str, Any]) -> list[FactGroup]:
    """The groups in the order of the agent's answer; those that were not asked at all are out."""
    facts = read_facts(raw, None)
    made: list[FactGroup] = []
    loose: dict[str, Any] = {}
    for name in Facts.__struct_fields__:
        item = getattr(facts, name)
        if isinstance(item, Known | Absent | Unreadable):
            loose[name] = item
        elif isinstance(item, dict):
            made.append(_group(name, item))
        elif isinstance(item, msgspec.Struct) and name != "clock":
            made.append(_group(name, {key: getattr(item, key) for key in item.__struct_fields__}))
    return [group for group in (*made, _group("server", loose)) if group.lines]


def _group(name: str, items: Mapping[str, Any]) -> FactGroup:
    asked = {key: item for key, item in items.items() if item != NOT_ASKED}
    lines = tuple(_line(key, item) for key, item in asked.items())
    return FactGroup(name, lines, len(items) - len(asked))


def _line(name: str, fact: Any) -> FactLine:
    if isinstance(fact, Known):
        return FactLine(label(name), "known", _text(name, fact.value))
    if isinstance(fact, Unreadable):
        code = "" if fact.hresult is None else value("hresult", fact.hresult)
        return FactLine(label(name), "unreadable", code=code)
    return FactLine(label(name), "absent")


def _text(name: str, item: Any) -> str:
    return value(name, msgspec.to_builtins(_plain(item)))


def _plain(item: Any) -> Any:
    """Structs as what is known of them, so that a list of products can be read."""
    if isinstance(item, Known):
        return _plain(item.value)
    if isinstance(item, msgspec.Struct):
        return dict(_known(item))
    if isinstance(item, list | tuple):
        return [_plain(each) for each in item]
    return item


def _known(item: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    for key in item.__struct_fields__:
        each = getattr(item, key)
        if not isinstance(each, Absent | Unreadable):
            yield key, _plain(each)
