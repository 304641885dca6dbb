"""What is planned for servers, by those that get the same steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from volact.model.report import ServerReport
from volact.report.group import natural
from volact.report.words import step_words
from volact.words import tr


class SameSteps(msgspec.Struct, frozen=True):
    """Servers that would get the same steps."""

    steps: tuple[tuple[str, str], ...]  # name, what it does
    names: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True):
    """Steps that are not planned, and what would allow them."""

    option: str
    reason: str
    servers: int


def plan_groups(reports: Iterable[ServerReport]) -> tuple[list[SameSteps], list[Refused]]:
    """The largest group first; of refusals those that consent would allow."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    refused: Counter[tuple[str, str]] = Counter()
    for report in reports:
        if report.plan and not report.results:
            steps = tuple((str(step.get("do", "?")), step_words(step)) for step in report.plan)
            groups.setdefault(steps, []).append(report.name)
        for one in report.refusals:
            if one.get("allow_with"):
                refused[str(one["allow_with"]), tr(str(one.get("reason", "")))] += 1
    made = [SameSteps(steps, tuple(sorted(some, key=natural))) for steps, some in groups.items()]
    return (
        sorted(made, key=lambda group: (-len(group.names), group.names)),
        [Refused(option, reason, servers) for (option, reason), servers in refused.most_common()],
    )
