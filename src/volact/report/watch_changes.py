"""What changed between two checks of a watch, and the text of it.

A standing is three words for a server, so that a watch over ten thousand servers for a
year takes the memory of one over a day.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from sys import intern
from typing import TextIO

import msgspec

from volact.core.main_cause import cause, lead
from volact.model.report import UNSEEN, RunReport, ServerReport, Verdict
from volact.model.text import Text, clauses, count, listed, raw, say
from volact.queries.values import RunServer
from volact.report.group import natural
from volact.report.message import ReportedChange, counts_line
from volact.report.terminal_safe import plain
from volact.report.words import (
    COUNTED,
    VERDICTS,
    WORST_FIRST,
    accepted_ids,
    cause_title,
    days_left,
    error_words,
    titled,
)
from volact.report.wrap import wrapped
from volact.words import tr

_ORDER = ("worse", "new", "expiring", "other", "better")
_RANK: dict[Verdict, int] = {word: at for at, word in enumerate(COUNTED)}


class ServerStanding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of a server, as far as a change of it is reported."""

    verdict: Verdict
    cause: str  # finding id, or error:<kind>
    expiring: bool = False

    @property
    def examined(self) -> bool:
        """Whether the server could be examined."""
        return self.verdict not in UNSEEN


def standing_of(
    server: ServerReport, at: str, within: timedelta, was: ServerStanding | None = None
) -> ServerStanding:
    """A server's standing when it was checked, ``at`` in ISO 8601, after another one."""
    soon = was is not None and was.expiring
    if server.error is None and server.license.status is not None:
        soon = _ends_soon(server.license.expires, at, within)
    return ServerStanding(server.verdict, intern(cause(server)), soon)


def stored_standing(server: RunServer, within: timedelta) -> ServerStanding:
    """A server's standing by its row of a run."""
    soon = end_is_known(server) and _ends_soon(server.expires, server.at, within)
    return ServerStanding(server.verdict, intern(server.cause), soon)


def end_is_known(server: RunServer) -> bool:
    """Whether a row of a run says when the licence ends, or that it does not."""
    return server.error_kind is None and server.status is not None


def _ends_soon(expires: str | None, at: str, within: timedelta) -> bool:
    left = days_left(expires, at)
    return left is not None and left < within / timedelta(days=1)


class ChangeTracker:
    """What is kept of the last check, and what the current one changes."""

    def __init__(
        self, within: timedelta, before: Mapping[str, ServerStanding] | None = None
    ) -> None:
        self._within = within
        self._before = dict(before or {})
        self._now: dict[str, ServerStanding] = {}
        self._changes: list[ReportedChange] = []

    def add(self, server: ServerReport, at: str) -> tuple[ReportedChange, ...]:
        """Compare one server's row, made ``at``, with how it stood."""
        if server.verdict == "not-started":
            return ()  # it was not checked: what was known of it stays
        was = self._before.get(server.name)
        now = self._now[server.name] = standing_of(server, at, self._within, was)
        changes = tuple(_changes(server, at, was, now))
        self._changes += changes
        return changes

    def changes(self) -> list[ReportedChange]:
        """What has changed, the worst first."""
        return sorted(
            self._changes,
            key=lambda c: (_ORDER.index(c.kind), WORST_FIRST.index(c.now), natural(c.server)),
        )

    def next(self, names: Iterable[str]) -> dict[str, ServerStanding]:
        """End the check: the next one is compared with what is returned.

        ``names`` are the servers that are watched; of others nothing is kept.
        """
        merged = {**self._before, **self._now}
        self._before = {name: merged[name] for name in names if name in merged}
        self.again()
        return self._before

    def again(self) -> None:
        """Discard the check: the next one is compared with the one before it."""
        self._now, self._changes = {}, []


def _changes(
    server: ServerReport, at: str, was: ServerStanding | None, now: ServerStanding
) -> Iterator[ReportedChange]:
    """An end that is soon is a change of its own, beside any other."""
    for kind in (_kind(was, now), _ending(was, now)):
        if kind:
            yield ReportedChange(
                server=server.name,
                kind=kind,
                was=was.verdict if was else "",
                now=now.verdict,
                summary=_said(kind, server, at, was),
            )


def _kind(was: ServerStanding | None, now: ServerStanding) -> str:
    """What kind of change it is, ``""`` for none.

    Attention after a failure is no news: a check cannot tell that a repair failed.
    """
    if was is None:
        return "" if now.verdict == "healthy" else "new"
    if now.verdict == "healthy" != was.verdict:
        return "better"
    if not was.examined and now.examined:
        return "other" if now.verdict == "failed" else "better"  # it is examined again
    if _RANK[now.verdict] > _RANK[was.verdict]:
        return "worse"
    return "other" if now.cause != was.cause and now.verdict != "healthy" else ""


def _ending(was: ServerStanding | None, now: ServerStanding) -> str:
    return "expiring" if now.expiring and not (was and was.expiring) else ""


def _said(kind: str, server: ServerReport, at: str, was: ServerStanding | None) -> Text:
    name, now = raw(server.name), VERDICTS[server.verdict]
    before = VERDICTS[was.verdict] if was else raw("")
    if server.verdict == "healthy" and kind == "better":
        said = say("{server}: {was} before, healthy now", server=name, was=before)
        accepted = accepted_ids(server)
        ids = listed(accepted)
        return say("{what}; accepted: {ids}", what=said, ids=ids) if accepted else said
    if kind == "expiring":
        left = days_left(server.license.expires, at) or 0.0
        return count(
            round(max(left, 0)),
            "{server}: its activation ends in {n} day",
            "{server}: its activation ends in {n} days",
            server=name,
        )
    if kind in ("worse", "better") or (was is not None and not was.examined):
        return say("{server}: {was} before, {now} now: {why}",
                   server=name, was=before, now=now, why=_why(server))  # fmt: skip
    if kind == "other":
        return say("{server}: {now}, for another cause: {why}",
                   server=name, now=now, why=_why(server))  # fmt: skip
    return say("{server}: {now}: {why}", server=name, now=now, why=_why(server))


def _why(server: ServerReport) -> Text:
    """The cause in a sentence."""
    if server.error is not None:
        return error_words(server.error)
    first = lead(server)
    if first is None:
        return _text(cause_title(server))
    return say("{summary} [{id}]", summary=_text(first.summary), id=first.id)


def _text(sentence: str) -> Text:
    return sentence if isinstance(sentence, Text) else raw(sentence)


_KINDS: dict[str, Text] = {
    "worse": say("worse"),
    "new": say("needs attention"),
    "expiring": say("ends soon"),
    "other": say("other changes"),
    "better": say("better"),
}


class WatchWriter:
    """The check in one line, then a line for each server that has changed.

    With ``columns``, on a terminal, long lines are wrapped; commands never are.
    """

    def __init__(self, out: TextIO, watched: ChangeTracker, *, columns: int = sys.maxsize) -> None:
        self._out = out
        self._watched = watched
        self._columns = columns

    def add(self, server: ServerReport) -> None:
        """Nothing: what is written is known at the end."""

    def finish(self, run: RunReport) -> None:
        """Write the check."""
        changes = self._watched.changes()
        when = run.started.replace("T", " ").replace("Z", " UTC")
        said = count(len(changes), "{n} change", "{n} changes") if changes else say("no changes")
        counts = tr(clauses([counts_line(run), said]))
        self._write(f"{when}  {titled(run.command, counts)}")
        for change in changes:
            said = say("{id}: {summary}", id=_KINDS[change.kind], summary=change.summary)
            self._write(f"  {plain(tr(said))}")
        if run.stopped is not None:
            self._write(f"  {plain(tr(run.stopped.message))}")
            if command := run.stopped.command:
                said = say("to continue: {command}", command=command)
                self._out.write(f"    {plain(tr(said))}\n")
        for note in run.notes[run.stopped is not None :]:
            self._write(f"  {plain(tr(say('note: {text}', text=note)))}")
        self._out.flush()

    def _write(self, text: str) -> None:
        for line in wrapped(text, self._columns, hang=4):
            self._out.write(f"{line}\n")
