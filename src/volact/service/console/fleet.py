"""The fleet at a glance: what is wrong, what servers have in common, and the trend."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import get

from volact.model.report import Summary, Verdict, count_of
from volact.queries.choices import RunCountsQuery
from volact.queries.filters import ServerFilter
from volact.queries.pages import PageRequest, Reader
from volact.queries.runs import RunsQuery
from volact.queries.status import StatusQuery
from volact.queries.values import Age, Ends, FleetStatus, Group
from volact.report.html_view import tiles
from volact.report.store_reports.status_text import age_words, ending_words
from volact.report.words import WORST_FIRST
from volact.service.access import Permission
from volact.service.caller import Asked, parts_of, seen_runs, within
from volact.service.console.page import HtmlPage, page
from volact.service.console.words import ACTIVE
from volact.store.values import RunRow
from volact.words import tr

_TREND = 24  # runs
_GROUP = 6
_TONES: dict[str, str] = {"expired": "bad", "unlicensed": "bad", "unknown": "not-started"}


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a chart; ``filter`` is the query of the list of its servers."""

    name: str
    count: int
    width: float
    tone: str
    filter: dict[str, str] = {}


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the trend: the parts of its column from the bottom, in percent."""

    run: RunRow
    summary: Summary
    parts: tuple[tuple[Verdict, float, float], ...]  # verdict, top, height


@get("/", opt={"permission": Permission.READ})
async def fleet(request: Asked) -> HtmlPage:
    """What is wrong, why, and what to do next."""
    parts = parts_of(request)
    filter = within(request)

    def look() -> tuple[FleetStatus, list[Column]]:
        with parts.store.snapshot() as snapshot:
            status = StatusQuery(now=parts.now(), filter=filter).ask(snapshot)
            return status, _trend(snapshot, filter)

    found = await parts.shared.ask(("fleet", filter), look)
    return await asyncio.to_thread(_fleet, request, *found)


def _fleet(request: Asked, status: FleetStatus, trend: list[Column]) -> HtmlPage:
    accepted, runs = bool(status.accepted), seen_runs(request, states=ACTIVE)
    active = runs.page(parts_of(request).store, PageRequest(limit=50)).items
    return page(
        request,
        "fleet.html.j2",
        status=status,
        active=sorted(active, key=lambda run: run.state != "awaiting-approval")[:3],
        tiles=tiles(status.summary, None, accepted=accepted),
        ends=_end_bars(status),
        ages=_age_bars(status),
        groups=_groups(status),
        trend=trend,
    )


def _trend(reader: Reader, filter: ServerFilter) -> list[Column]:
    """The newest runs that examined servers, the oldest first."""
    query = RunsQuery(commands=("check", "plan", "activate", "watch"))
    runs = [run for run in query.page(reader, PageRequest(limit=_TREND)).items if run.finished]
    counts = {run.id: run.summary for run in runs}
    if filter.scopes is not None:
        counts = RunCountsQuery(runs=tuple(counts), filter=filter).ask(reader)
    shown = [run for run in reversed(runs) if run.id in counts and counts[run.id].servers]
    most = max((counts[run.id].servers for run in shown), default=0)
    return [_column(run, counts[run.id], most) for run in shown]


def _column(run: RunRow, summary: Summary, most: int) -> Column:
    """As high as it has servers: a run over one of them does not look like a bad day."""
    parts, top = [], 100 * (1 - summary.servers / most)
    for verdict in WORST_FIRST:
        height = 100 * count_of(summary, verdict) / most
        if height:
            parts.append((verdict, round(top, 2), round(height, 2)))
        top += height
    return Column(run=run, summary=summary, parts=tuple(parts))


def _bars(found: list[tuple[str, int, str, dict[str, str]]]) -> list[Bar]:
    longest = max([1, *(count for _, count, _, _ in found)])
    return [
        Bar(name=name, count=count, width=round(100 * count / longest, 2), tone=tone, filter=to)
        for name, count, tone, to in found
    ]


def _end_bars(status: FleetStatus) -> list[Bar]:
    """How many licences have how many days left; what is empty and unusual is left out."""
    shown = [end for end in status.endings if end.servers or end.ending == "ends"]
    if not status.summary.servers:
        return []
    return _bars(
        [(ending_words(end), end.servers, _end_tone(end), _end_filter(end)) for end in shown]
    )


def _end_tone(end: Ends) -> str:
    if end.ending != "ends":
        return _TONES.get(end.ending, "good")
    return "bad" if (end.from_days or 0) < 7 else "warn" if (end.from_days or 0) < 30 else "good"


def _end_filter(end: Ends) -> dict[str, str]:
    """Only spans of days can be asked for."""
    if end.ending != "ends":
        return {}
    return {"ends_from": str(end.from_days), "ends_before": str(end.below_days or "")}


def _age_bars(status: FleetStatus) -> list[Bar]:
    """How long ago servers were examined."""
    shown = [age for age in status.ages if age.servers]
    return _bars([(age_words(a), a.servers, _age_tone(a), {}) for a in shown])


def _age_tone(age: Age) -> str:
    return "bad" if age.from_days is None else "warn" if age.from_days >= 7 else "good"


def _groups(status: FleetStatus) -> list[tuple[str, str, list[tuple[Group, list[Any]]]]]:
    """Servers by provider, release and KMS host: the largest groups, each with its verdicts."""
    named = (
        (tr("Provider"), "provider", status.providers),
        (tr("Release"), "release", status.releases),
        (tr("KMS host"), "kms_host", status.kms_hosts),
    )
    return [
        (name, key, [(group, _shares(group)) for group in groups[:_GROUP]])
        for name, key, groups in named
        if len(groups) > 1
    ]


def _shares(group: Group) -> list[tuple[Verdict, float, float]]:
    shares, left = [], 0.0
    for verdict in WORST_FIRST:
        width = round(100 * count_of(group, verdict) / group.servers, 2)
        if width:
            shares.append((verdict, left, width))
        left = round(left + width, 2)
    return shares


HANDLERS = (fleet,)
