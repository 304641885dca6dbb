"""``volact diff`` for a person: what got worse first, servers that are the same as a count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from volact.core.change import CHANGE_KINDS, ChangeKind, Snapshot
from volact.model.text import Text, count, listed, say
from volact.queries.values import ChangeRow, Diff
from volact.report.store_reports.runs_text import run_line
from volact.report.store_reports.store_text import StoreText, some
from volact.report.terminal_safe import pad, plain, width
from volact.report.words import ERROR_NAMES, VERDICTS, status_words, titled
from volact.store.values import RunRow
from volact.typed import is_typable
from volact.words import tr

# Kinds of servers that only one of the runs had: nothing is compared.
_ALONE: dict[ChangeKind, Text] = {
    "gone": say("only in the first run, not compared"),
    "new": say("only in the second run, not compared"),
}
_NAMED = 8
_KINDS: dict[ChangeKind, tuple[Text, Text, str]] = {
    "worse": (say("worse"), say("something got worse"), "failed"),
    "lost": (
        say("now unreachable"),
        say("could be examined before, not now"),
        "unreachable",
    ),
    "changed": (say("changed"), say("different, neither better nor worse"), "attention"),
    "regained": (
        say("reachable again"),
        say("could not be examined before, only now"),
        "bold",
    ),
    "better": (say("better"), say("something got better"), "healthy"),
}
_FIELDS: dict[str, Text] = {
    "address": say("address"),
    "provider": say("provider"),
    "release": say("release"),
    "edition": say("edition"),
    "status": say("licence"),
    "channel": say("channel"),
    "partial_key": say("key ends in"),
    "kms_host": say("KMS host"),
}
_FINDINGS = 8
_PRESSING: tuple[ChangeKind, ...] = ("worse", "lost")
_SHOWN = {True: 50, False: 12}  # servers of a kind, pressing or not; the data formats have all


def write_diff(out: StoreText, found: Diff, before: RunRow, after: RunRow) -> None:
    """All of it, with what to do next."""
    titles = [tr(say("first:")), tr(say("second:"))]
    columns = max(map(width, titles))
    for title, run in zip(titles, (before, after), strict=True):
        out.line(f"{pad(title, columns)}  {run_line(run)}")
    _compared(out, found)
    _doubts(out, before, after, found)
    for kind, rows in groupby(found.servers, key=lambda row: row.kind):
        if kind not in _ALONE:
            _kind(out, kind, list(rows))
    _findings(out, found)
    _totals(out, found)


def _compared(out: StoreText, found: Diff) -> None:
    """How many servers both runs had, and which only one of them had."""
    summary = found.summary
    both = sum(getattr(summary, kind) for kind in CHANGE_KINDS if kind not in _ALONE)
    words = say("nothing was compared: the runs have no server in common")
    if both:
        words = count(
            both,
            "compared: {n} server that both runs had",
            "compared: {n} servers that both runs had",
        )
    out.prose(tr(words))
    for kind, words in _ALONE.items():
        names = [row.name for row in found.servers if row.kind == kind]
        if names:
            shown = some(names[:_NAMED], len(names))
            counted = tr(say("{meaning} ({detail})", meaning=f"{len(names)}", detail=shown))
            out.prose(titled(tr(words), counted), 0, "dim")


def _doubts(out: StoreText, before: RunRow, after: RunRow, found: Diff) -> None:
    """Why a server may be missing from a run without being gone."""
    if (found.summary.gone and not after.finished) or (found.summary.new and not before.finished):
        words = say("An interrupted run may not have reached every server.")
        out.prose(tr(words), 0, "attention")
    if before.pruned or after.pruned:
        words = say("Some rows of these runs were pruned.")
        out.prose(tr(words), 0, "attention")


def _kind(out: StoreText, kind: ChangeKind, rows: list[ChangeRow]) -> None:
    title, means, colour = _KINDS[kind]
    servers = count(len(rows), "{n} server", "{n} servers")
    out.line()
    said = say("{servers}: {meaning}", servers=servers, meaning=means)
    out.prose(f"{tr(title).upper()}  {tr(said)}", 0, colour)
    shown = rows[: _SHOWN[kind in _PRESSING]]
    columns = min(32, max(width(plain(row.name)) for row in shown))
    for row in shown:
        out.prose(f"{pad(plain(row.name), columns)}  {_standing(row)}", 2)
        for line in _details(row):
            out.prose(line, 6, "dim")
    out.more(len(rows) - len(shown))


def _standing(row: ChangeRow) -> str:
    """From where to where."""
    was, is_ = (_at(side) for side in (row.before, row.after))
    return was if was == is_ else f"{was} -> {is_}"


def _at(side: Snapshot | None) -> str:
    if side is None:
        return tr(say("no check"))
    word = tr(VERDICTS[side.verdict])
    return f"{word} ({tr(ERROR_NAMES[side.error])})" if side.error else word


def _details(row: ChangeRow) -> Iterator[str]:
    """What came, what went and what else differs."""
    if row.appeared:
        yield plain(tr(say("new: {what}", what=listed(row.appeared))))
    if row.resolved:
        yield plain(tr(say("resolved: {what}", what=listed(row.resolved))))
    was, is_ = (set(side.accepted if side else ()) for side in (row.before, row.after))
    if is_ - was:
        yield plain(tr(say("accepted: {what}", what=listed(sorted(is_ - was)))))
    if was - is_:
        yield plain(tr(say("no longer accepted: {what}", what=listed(sorted(was - is_)))))
    for name in row.fields:
        if name in _FIELDS:
            was, is_ = (getattr(side, name) for side in (row.before, row.after))
            yield plain(titled(tr(_FIELDS[name]), f"{_value(name, was)} -> {_value(name, is_)}"))


def _value(name: str, value: object) -> str:
    # A row has null for what is not set as well as for what could not be read.
    if value is None:
        return tr(say("(none known)"))
    return status_words(str(value)) if name == "status" else str(value)


def _findings(out: StoreText, found: Diff) -> None:
    for title, counts in (
        (say("New"), found.summary.appeared),
        (say("Resolved"), found.summary.resolved),
    ):
        if counts:
            out.line()
            out.prose(titled(tr(title), _ranked(counts)))


def _ranked(counts: Mapping[str, int]) -> str:
    shown = [f"{plain(name)} {n}" for name, n in [*counts.items()][:_FINDINGS]]
    more = len(counts) - len(shown)
    said = [tr(count(more, "and {n} more", "and {n} more"))] if more > 0 else []
    return tr(listed([*shown, *said]))


def _totals(out: StoreText, found: Diff) -> None:
    counts = {kind: getattr(found.summary, kind) for kind in CHANGE_KINDS}
    said = [
        say("{n} {verdict}", n=n, verdict=_KINDS[kind][0])
        for kind, n in counts.items()
        if n and kind in _KINDS
    ]
    if counts["same"]:
        said.append(count(counts["same"], "{n} unchanged", "{n} unchanged"))
    if said:
        out.line()
        out.prose(tr(listed(said)), 0, "bold")
    pressing = next(
        (row for row in found.servers if row.kind in _PRESSING and is_typable(plain(row.name))),
        None,
    )
    if pressing is not None:
        out.history_of(pressing.name)
