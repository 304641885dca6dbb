"""What the HTML page shows, prepared: the template only lays it out.

Pure: rows in, small values with ready words out.  Nothing here is markup;
escaping is the template engine's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from volact.model.report import ServerReport, Summary, Word
from volact.report.base import Invocation
from volact.report.group import Group, groups
from volact.report.next_step import next_step, shared_step
from volact.report.tally import causes, was_changed
from volact.report.words import (
    MEANS,
    cause,
    days_left,
    label,
    lead,
    os_words,
    pairs,
    refusal_lines,
    result_line,
    step_line,
    value,
)

TILES: tuple[Word, ...] = ("healthy", "attention", "failed", "unreachable")
_NAMES_SHOWN = 12
_TONES = {"error": "bad", "warning": "warn"}
_BUCKETS: tuple[tuple[str, float], ...] = (
    ("expired", 0),
    ("under 7 days", 7),
    ("7 to 30 days", 30),
    ("30 to 90 days", 90),
    ("90 to 150 days", 150),
    ("over 150 days", float("inf")),
)


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict's count."""

    verdict: Word
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
    cause: str
    title: str
    detail: str  # what all of them show alike
    count: int
    next: str
    names: tuple[tuple[str, str], ...]  # anchor, name
    more: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One finding, step or result in a server's details."""

    tone: str
    name: str
    text: str
    pairs: tuple[tuple[str, str], ...] = ()
    note: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One server."""

    anchor: str
    verdict: Word
    name: str
    address: str
    os: str
    license: str
    days: float | None
    kms_host: str
    cause: str
    words: str  # what the search looks at
    error: str
    findings: tuple[Line, ...]
    resolved: tuple[str, ...]
    refusals: tuple[str, ...]
    reason: str
    done_title: str
    done: tuple[Line, ...]
    facts: tuple[tuple[str, str], ...]
    next: str


def tiles(summary: Summary, before: Summary | None) -> list[Tile]:
    """The four counts with their share of the whole."""
    total = max(1, summary.servers)
    made, offset = [], 0.0
    for verdict in TILES:
        count = getattr(summary, verdict)
        share = round(100 * count / total, 3)
        earlier = None if before is None else getattr(before, verdict)
        made.append(
            Tile(verdict=verdict, means=MEANS[verdict], count=count, share=share, offset=offset,
                 before=earlier)
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
        _bar(name, standing[name], repaired[name], longest, tones.get(name, "bad"))
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
        _bar(name, count, 0, longest, tone)
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
        cause=group.cause.removeprefix("error:"),
        title=group.title or (first.summary if first else ""),
        detail=details.pop() if len(details) == 1 else "",
        count=len(group.servers),
        next=shared_step(group.servers, how),
        names=tuple((anchors[id(s)], s.name) for s in group.servers[:_NAMES_SHOWN]),
        more=max(0, len(group.servers) - _NAMES_SHOWN),
    )


def _detail(server: ServerReport) -> str:
    """The one line of evidence that says most."""
    if server.error is not None:
        return server.error.message
    for result in server.results:
        if not result.get("ok"):
            return result_line(result)
    first = lead(server)
    return pairs(first.evidence) if first else ""


def row(server: ServerReport, anchor: str, how: Invocation, now: str) -> Row:
    """One server's line and details."""
    title, done = _done(server)
    why = cause(server).removeprefix("error:")
    ids = [finding.id for finding in server.findings]
    words = [server.name, server.address, os_words(server), server.license.status or ""]
    words += [server.license.kms_host or "", why, *ids, *server.resolved]
    return Row(
        anchor=anchor,
        verdict=server.verdict,
        name=server.name,
        address=server.address,
        os=os_words(server),
        license=server.license.status or "",
        days=days_left(server.license.expires, now),
        kms_host=server.license.kms_host or "",
        cause=why or ("repaired" if was_changed(server) else ""),
        words=" ".join(words).casefold(),
        error=f"{server.error.kind}: {server.error.message}" if server.error else "",
        findings=tuple(_finding_line(finding) for finding in server.findings),
        resolved=server.resolved,
        refusals=tuple(refusal_lines(server)),
        reason=server.reason,
        done_title=title,
        done=done,
        facts=_facts(server),
        next=_unsaid(next_step([server], how), server),
    )


def _unsaid(step: str, server: ServerReport) -> str:
    """The next step, unless a finding beside it says it already."""
    return "" if step in {finding.remedy for finding in server.findings} else step


def _finding_line(finding: Any) -> Line:
    return Line(
        tone=finding.severity,
        name=finding.id,
        text=finding.summary,
        pairs=tuple((label(key), value(key, item)) for key, item in finding.evidence.items()),
        note=finding.remedy,
    )


def _done(server: ServerReport) -> tuple[str, tuple[Line, ...]]:
    """What was done, or else what is planned."""
    if server.results:
        return "What was done", tuple(_result(result) for result in server.results)
    steps = tuple(_planned(step) for step in server.plan)
    return ("What would be done" if steps else "", steps)


def _planned(step: Mapping[str, Any]) -> Line:
    name, _, rest = step_line(step).partition("  ")
    because = ", ".join(str(word) for word in step.get("because", ()))
    return Line(tone="plan", name=name, text=rest, note=f"because of {because}" if because else "")


def _result(result: Mapping[str, Any]) -> Line:
    tone = "failed" if not result.get("ok") else "changed" if result.get("changed") else "same"
    word = {"failed": "not done", "changed": "changed", "same": "already so"}[tone]
    code = result.get("hresult")
    return Line(
        tone=tone,
        name=str(result.get("do", "?")),
        text=f"{word} {value('hresult', code)}" if code else word,
        pairs=_before_after(result.get("before") or {}, result.get("after") or {}),
        note=str(result.get("note") or ""),
    )


def _before_after(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    keys = dict.fromkeys([*before, *after])
    return tuple((label(key), _change(key, before, after)) for key in keys)


def _change(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    was = value(key, before[key]) if key in before else ""
    now = value(key, after[key]) if key in after else ""
    return f"{was} → {now}" if was and now and was != now else now or was


def _facts(server: ServerReport) -> tuple[tuple[str, str], ...]:
    known = {
        "provider": server.provider,
        "release": server.os.release,
        "build": server.os.build,
        "edition": server.os.edition,
        "language": server.os.language,
        "channel": server.license.channel,
        "key ends in": server.license.partial_key,
        "KMS host": server.license.kms_host,
        "expires": server.license.expires,
        "client machine id": server.license.cmid,
        "took": f"{server.elapsed_s:.1f} s, {server.executions} x run there",
    }
    return tuple((name, str(item)) for name, item in known.items() if item not in (None, ""))
