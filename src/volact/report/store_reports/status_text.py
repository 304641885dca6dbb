"""``volact status`` for a person: what needs them first, then the fleet in numbers."""

from __future__ import annotations

from volact.core.licence_end import EndState
from volact.model.report import count_of
from volact.model.text import Text, count, listed, say
from volact.queries.values import Age, Ends, FleetStatus, Group
from volact.report.store_reports.store_text import (
    StoreText,
    ago,
    bar,
    cut,
    number,
    some,
    verdict_columns,
)
from volact.report.terminal_safe import plain, width
from volact.report.terminal_writer import Cell
from volact.report.words import VERDICTS, WORST_FIRST, duration, meaning_of
from volact.store.values import RunRow
from volact.typed import is_typable
from volact.words import tr

_SHOWN = 8  # clusters, and lines of a group
ENDS: dict[EndState, Text] = {
    "expired": say("expired"),
    "ends": say("ends"),
    "never": say("never ends"),
    "unlicensed": say("not licensed"),
    "unknown": say("unknown"),
}
_URGENT = {"expired": "failed", "unlicensed": "attention", "unknown": "unreachable"}


class StatusText:
    """The parts of the text, from the fleet in numbers."""

    def __init__(self, out: StoreText, status: FleetStatus, last: RunRow | None) -> None:
        self._out = out
        self._status = status
        self._last = last

    def write(self) -> None:
        """Write all of it."""
        if not self._status.summary.servers:
            self._out.line(tr(say("no server in the store matches")), "bold")
            self._out.following("volact status")
            return
        self._head()
        self._verdicts()
        self._trouble()
        self._causes()
        self._endings()
        self._groups()
        self._ages()
        self._next()

    def _head(self) -> None:
        total = self._status.summary.servers
        servers = count(total, "{n} server", "{n} servers")
        self._out.line(
            tr(say("{servers} as last examined; times are UTC", servers=servers)), "bold"
        )
        if self._last is not None:
            run, started = self._last, ago(self._last.started, self._out.now)
            words = say(
                "newest run: {command} {id}, {ago}", command=run.command, id=run.id, ago=started
            )
            self._out.line(plain(tr(words)))

    def _verdicts(self) -> None:
        counts = {word: count_of(self._status.summary, word) for word in WORST_FIRST}
        self._out.line()
        rows = [
            (
                Cell(tr(VERDICTS[verdict]).upper(), verdict),
                Cell(str(servers), "", True),
                Cell(tr(meaning_of(verdict, accepted=bool(self._status.accepted))), "dim"),
            )
            for verdict, servers in counts.items()
            if servers
        ]
        self._out.table(("", "", ""), rows)
        if self._status.accepted:
            what = listed(f"{one.finding} {one.servers}" for one in self._status.accepted)
            self._out.prose(plain(tr(say("accepted: {what}", what=what))), 2, "dim")
        if self._status.expired_since:
            words = count(
                self._status.expired_since,
                "{n} of them was healthy when last examined; its licence has expired since.",
                "{n} of them were healthy when last examined; their licences have expired since.",
            )
            self._out.prose(tr(words), 2, "attention")

    def _trouble(self) -> None:
        troubled = self._status.troubled
        if not troubled:
            return
        self._out.heading(tr(say("Not healthy")))
        rows = [
            (
                Cell(cut(plain(row.name), 32)),
                Cell(tr(VERDICTS[row.verdict]), row.verdict),
                Cell(plain(row.cause)),
                Cell(ago(row.looked, self._out.now), "dim"),
            )
            for row in troubled
        ]
        self._out.table(("", "", "", ""), rows)
        summary = self._status.summary
        well = summary.healthy + summary.not_started
        more = summary.servers - well - len(troubled)
        if more:
            self._out.line(f"  {tr(count(more, 'and {n} more', 'and {n} more'))}", "dim")

    def _causes(self) -> None:
        clusters = self._status.clusters
        if not clusters:
            return
        self._out.heading(tr(say("In common")))
        for cluster in clusters[:_SHOWN]:
            self._out.prose(f"{plain(tr(cluster.summary))} [{plain(cluster.cause)}]", 2)
        more = len(clusters) - _SHOWN
        if more > 0:
            self._out.line(f"  {tr(count(more, 'and {n} more', 'and {n} more'))}", "dim")

    def _endings(self) -> None:
        bars = self._status.endings
        most = max(each.servers for each in bars) or 1
        self._out.heading(tr(say("Days of licence left")))
        rows = [
            (
                Cell(ending_words(each)),
                number(each.servers, _colour(each)),
                Cell(bar(each.servers, most), _colour(each) or "healthy"),
            )
            for each in bars
            if each.servers or each.ending in ("ends", "expired")
        ]
        self._out.table(("", "", ""), rows)

    def _groups(self) -> None:
        for title, groups, none in (
            (say("PROVIDER"), self._status.providers, say("(unknown)")),
            (say("RELEASE"), self._status.releases, say("(unknown)")),
            # A row has null for a host that is not set as well as for one that could not be read.
            (say("KMS HOST"), self._status.kms_hosts, say("(none known)")),
        ):
            if groups:
                self._out.line()
                self._group(tr(title), groups, tr(none))

    def _group(self, title: str, groups: tuple[Group, ...], none: str) -> None:
        verdicts = verdict_columns([self._status.summary])
        head = (title, tr(say("servers")), *(tr(VERDICTS[word]) for word in verdicts))
        taken = sum(2 + max(map(width, word.split())) for word in head[1:])
        room = max(16, min(48, self._out.columns - 2 - taken))  # a value is one word
        rows = [
            (
                Cell(cut(plain(each.value), room) if each.value else none),
                number(each.servers),
                *(
                    number(count_of(each, word), word if word != "healthy" else "")
                    for word in verdicts
                ),
            )
            for each in groups[:_SHOWN]
        ]
        self._out.table(head, rows)
        more = len(groups) - _SHOWN
        if more > 0:
            self._out.line(f"  {tr(count(more, 'and {n} more', 'and {n} more'))}", "dim")

    def _ages(self) -> None:
        self._out.heading(tr(say("Time since last examined")))
        rows = [
            (Cell(age_words(each)), number(each.servers, "" if each.below_days else "attention"))
            for each in self._status.ages
            if each.servers
        ]
        self._out.table(("", ""), rows)
        stale = self._status.stale
        if stale.servers:
            words = count(
                stale.servers,
                "{n} server was not examined within {span}: {names}",
                "{n} servers were not examined within {span}: {names}",
                span=duration(stale.after_days * 86400),
                names=some(stale.names, stale.servers),
            )
            self._out.prose(plain(tr(words)), 2, "attention")

    def _next(self) -> None:
        troubled = self._status.troubled
        worst = next((server for server in troubled if is_typable(plain(server.name))), None)
        ends = [each for each in self._status.endings if each.servers]
        self._out.line()
        if worst is not None:
            self._out.history_of(worst.name)
        if self._status.stale.names:
            self._out.if_gone(self._status.stale.names[0])
        soon = (each.ending == "expired" or (each.below_days or 31) <= 30 for each in ends)
        if any(soon) and not self._out.asked.service:  # it has no such command
            self._out.following("volact expiring --within 30d")


def ending_words(bar_: Ends) -> str:
    """A bar of the histogram."""
    if bar_.ending != "ends":
        return tr(ENDS[bar_.ending])
    return _days(bar_.from_days, bar_.below_days)


def age_words(age: Age) -> str:
    """How old knowledge is."""
    if age.from_days is None:
        return tr(say("never examined"))
    return _days(age.from_days, age.below_days)


def _days(low: int | None, high: int | None) -> str:
    if not low:
        return tr(count(high or 0, "under {n} day", "under {n} days"))
    if high is None:
        return tr(say("over {n} days", n=low))
    return tr(say("{low} to {high} days", low=low, high=high))


def _colour(bar_: Ends) -> str:
    if not bar_.servers:
        return "dim"
    if bar_.ending == "ends":
        return {7: "failed", 30: "attention"}.get(bar_.below_days or 0, "")
    return _URGENT.get(bar_.ending, "")
