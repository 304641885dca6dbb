"""What the HTML page shows, prepared: the template only lays it out.

Pure: rows in, small values with ready words out.  Nothing here is markup;
escaping is the template engine's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from volact.model.report import ServerReport, Summary, Word
from volact.model.text import Text, say
from volact.report.base import Invocation
from volact.report.group import Group, groups
from volact.report.next_step import shared_step
from volact.report.tally import causes
from volact.report.words import (
    MEANS,
    VERDICTS,
    days_left,
    lead,
    pairs,
    result_line,
)
from volact.words import tr

TILES: tuple[Word, ...] = ("healthy", "attention", "failed", "unreachable")
_NAMES_SHOWN = 12
_TONES = {"error": "bad", "warning": "warn"}
_BUCKETS: tuple[tuple[Text, float], ...] = (
    (say("expired"), 0),
    (say("under 7 days"), 7),
    (say("7 to 30 days"), 30),
    (say("30 to 90 days"), 90),
    (say("90 to 150 days"), 150),
    (say("over 150 days"), float("inf")),
)


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict's count."""

    verdict: Word
    word: str
    means: str
    count: int
    share: float  # percent
    offset: float  # percent, where its part of the whole bar starts
    before: int | None


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a chart; ``part`` is drawn before ``rest`` in the same line."""

    name: str
    part: int
    rest: int
    part_width: float  # percent of the longest line
    rest_width: float
    tone: str


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One group of servers that need a person."""

    verdict: Word
    word: str
    cause: str
    title: str
    detail: str  # what all of them show alike
    count: int
    next: str
    names: tuple[tuple[str, str], ...]  # anchor, name
    more: int


def tiles(summary: Summary, before: Summary | None) -> list[Tile]:
    """The four counts with their share of the whole."""
    total = max(1, summary.servers)
    made, offset = [], 0.0
    for verdict in TILES:
        count = getattr(summary, verdict)
        share = round(100 * count / total, 3)
        earlier = None if before is None else getattr(before, verdict)
        made.append(
            Tile(verdict=verdict, word=tr(VERDICTS[verdict]), means=tr(MEANS[verdict]),
                 count=count, share=share, offset=offset, before=earlier)
        )  # fmt: skip
        offset = round(offset + share, 3)
    return made


def cause_bars(servers: Iterable[ServerReport], limit: int = 14) -> list[Bar]:
    """How many servers have each error or warning, and on how many it was repaired."""
    standing: Counter[str] = Counter()
    repaired: Counter[str] = Counter()
    tones: dict[str, str] = {}
    for server in servers:
        for name, severity in causes(server).items():
            standing[name] += 1
            if severity == "error" or name not in tones:
                tones[name] = _TONES[severity]
        repaired.update(set(server.resolved))
    both = (standing + repaired).most_common(limit)
    longest = max((count for _, count in both), default=1)
    return [
        _bar(tr(name), standing[name], repaired[name], longest, tones.get(name, "bad"))
        for name, _ in both
    ]


def _bar(name: str, part: int, rest: int, longest: int, tone: str) -> Bar:
    return Bar(
        name=name,
        part=part,
        rest=rest,
        part_width=round(100 * part / longest, 2),
        rest_width=round(100 * rest / longest, 2),
        tone=tone,
    )


def expiry_bars(servers: Iterable[ServerReport], now: str) -> list[Bar]:
    """How many licences have how much left; only servers that say so."""
    counts = dict.fromkeys((name for name, _ in _BUCKETS), 0)
    for server in servers:
        left = days_left(server.license.expires, now)
        if left is not None:
            counts[next(name for name, end in _BUCKETS if left < end)] += 1
    longest = max([1, *counts.values()])
    tones = ("bad", "bad", "warn", "good", "good", "good")
    made = [
        _bar(tr(name), count, 0, longest, tone)
        for (name, count), tone in zip(counts.items(), tones, strict=True)
    ]
    return made if any(counts.values()) else []


def cards(
    servers: Sequence[ServerReport], anchors: Mapping[int, str], how: Invocation
) -> list[Card]:
    """What needs a person, worst first."""
    return [_card(group, anchors, how) for group in groups(servers) if group.verdict != "healthy"]


def _card(group: Group, anchors: Mapping[int, str], how: Invocation) -> Card:
    first = lead(group.servers[0])
    details = {_detail(server) for server in group.servers}
    return Card(
        verdict=group.verdict,
        word=tr(VERDICTS[group.verdict]),
        cause=group.cause.removeprefix("error:"),
        title=tr(group.title or (first.summary if first else "")),
        detail=details.pop() if len(details) == 1 else "",
        count=len(group.servers),
        next=shared_step(group.servers, how),
        names=tuple((anchors[id(s)], s.name) for s in group.servers[:_NAMES_SHOWN]),
        more=max(0, len(group.servers) - _NAMES_SHOWN),
    )


def _detail(server: ServerReport) -> str:
    """The one line of evidence that says most."""
    if server.error is not None:
        return tr(server.error.message)
    for result in server.results:
        if not result.get("ok"):
            return result_line(result)
    first = lead(server)
    return pairs(first.evidence) if first else ""
