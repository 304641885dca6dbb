"""``volact expiring`` for a person: the earliest end first, what is not known apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from volact.model.text import Text, clauses, count, say
from volact.queries.values import Endings, Expiring, ExpiringRow, ExpiringSummary
from volact.report.store_reports.store_text import StoreText, ago, cut, moment
from volact.report.terminal_safe import plain
from volact.report.terminal_writer import Cell
from volact.report.words import duration
from volact.typed import is_typable
from volact.words import decimal, tr

_COLOURS: dict[Expiring, str] = {
    "expired": "failed",
    "ends": "attention",
    "overdue": "attention",
    "unknown": "unreachable",
}
_WHY: dict[str, Text] = {
    "never-examined": say("never examined"),
    "no-status": say("licence state unknown"),
    "no-end": say("expiry unknown"),
}


_SHOWN = 200
_UNKNOWN = 20


def write_expiring(out: StoreText, found: Endings, within: timedelta) -> None:
    """All of it, with what to do next."""
    out.prose(tr(_head(found, duration(within.total_seconds()))), 0, "bold")
    if found.servers:
        out.line()
        _endings(out, found.servers[:_SHOWN])
        out.more(len(found.servers) - _SHOWN)
    _unknown(out, found.unknown)
    _others(out, found.summary)
    _next(out, found)


def _endings(out: StoreText, servers: Sequence[ExpiringRow]) -> None:
    """A line a server, or two where a line has no room."""
    head = (
        tr(say("SERVER")),
        tr(say("ENDS (UTC)")),
        tr(say("LEFT")),
        "",
        tr(say("KMS HOST")),
        tr(say("LAST EXAMINED")),
    )
    rows = [_ending(out, row) for row in servers]
    if out.fits(head, rows):
        out.table(head, rows, indent=0)
        return
    for row in rows:
        name, end, left, state, host, examined = row
        out.prose(f"{name.text}  {end.text}  {left.text}  {state.text}", 0, state.colour)
        said = say("last examined {ago}, KMS host {host}", ago=examined.text, host=host.text or "-")
        out.prose(tr(said), 4, "dim")


def _head(found: Endings, span: str) -> Text:
    soon = found.summary.expired + found.summary.ends
    words = say("no licence has expired or ends within {span}", span=span)
    if soon:
        words = count(
            soon,
            "{n} licence has expired or ends within {span}",
            "{n} licences have expired or end within {span}",
            span=span,
        )
    overdue = sum(row.overdue for row in found.servers)  # also of licences that end soon
    if not overdue:
        return say("{words}; times are UTC", words=words)
    late = count(overdue, "{n} renewal is overdue", "{n} renewals are overdue")
    return say("{words}; {late}; times are UTC", words=words, late=late)


def _ending(out: StoreText, row: ExpiringRow) -> tuple[Cell, ...]:
    days = row.days_left
    left = "" if days is None else tr(say("{n} d", n=decimal(f"{days:.1f}")))
    return (
        Cell(cut(plain(row.name), 32)),
        Cell(moment(row.expires)),
        Cell(left, _COLOURS[row.state], True),
        Cell(tr(_state(row)), _COLOURS[row.state]),
        Cell(cut(plain(row.kms_host or ""), 40)),
        Cell(ago(row.examined, out.now), "dim"),
    )


def _state(row: ExpiringRow) -> Text:
    said = say("expired") if row.state == "expired" else say("ends")
    if row.state == "overdue":
        return say("renewal overdue")
    return say("{state}, renewal overdue", state=said) if row.overdue else said


def _unknown(out: StoreText, rows: Sequence[ExpiringRow]) -> None:
    if not rows:
        return
    words = count(
        len(rows),
        "{n} server with unknown expiry",
        "{n} servers with unknown expiry",
    )
    out.heading(tr(words))
    cells = [
        (
            Cell(cut(plain(row.name), 32)),
            Cell(tr(_WHY[row.why]), "unreachable"),
            Cell(ago(row.examined, out.now), "dim"),
        )
        for row in rows[:_UNKNOWN]
    ]
    out.table(("", "", ""), cells)
    out.more(len(rows) - _UNKNOWN)


def _others(out: StoreText, summary: ExpiringSummary) -> None:
    """The rest, so that the numbers add up."""
    parts = [
        count(summary.later, "{n} licence ends later", "{n} licences end later"),
        count(summary.never, "{n} never ends", "{n} never end"),
        count(summary.unlicensed, "{n} server had no licence", "{n} servers had no licence"),
    ]
    counts = (summary.later, summary.never, summary.unlicensed)
    said = [part for part, number in zip(parts, counts, strict=True) if number]
    if said:
        out.line()
        out.prose(tr(clauses(said)), 0, "dim")


def _next(out: StoreText, found: Endings) -> None:
    out.line()
    servers = found.servers or found.unknown
    first = next((server for server in servers if is_typable(plain(server.name))), None)
    if first is not None:
        out.history_of(first.name)
    else:
        out.following("volact status")
