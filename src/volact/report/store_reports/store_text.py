"""What the texts of the verbs that read the store share: next commands, bars, cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TextIO

import msgspec

from volact.core.licence_end import days_until
from volact.model.report import Summary, Verdict, count_of
from volact.model.text import count, listed, say, typed
from volact.report.terminal_safe import plain, width
from volact.report.terminal_writer import Cell, TerminalWriter
from volact.report.words import COUNTED, duration
from volact.typed import is_typable, limit_word, quoted
from volact.words import tr

_BAR = 40


class AskedStore(msgspec.Struct, frozen=True, kw_only=True):
    """The store or the service that was asked; of neither, the user's own store."""

    store: str = ""
    service: str = ""

    @property
    def option(self) -> str:
        """What a next command needs to ask the same one, with a space before it."""
        if self.service:
            return f" --service {quoted(self.service)}"
        return f" --store {quoted(self.store)}" if self.store else ""


OWN_STORE = AskedStore()


class StoreText(TerminalWriter):
    """Text for a terminal as of ``now``."""

    def __init__(
        self,
        out: TextIO,
        now: datetime,
        *,
        columns: int = 100,
        colour: bool = False,
        asked: AskedStore = OWN_STORE,
    ) -> None:
        super().__init__(out, columns=columns, colour=colour)
        self.now = now
        self.asked = asked

    def more(self, number: int) -> None:
        """How many more there are than are shown, if there are any."""
        if number > 0:
            words = count(
                number,
                "and {n} more; --output csv lists all",
                "and {n} more; --output csv lists all",
            )
            self.line(f"  {tr(words)}", "dim")

    def following(self, command: str) -> None:
        """The exact next command, whole on its line, however long."""
        self.line(tr(say("next: {step}", step=f"{command}{self.asked.option}")))

    def history_of(self, name: str) -> None:
        """The same for a server's history."""
        self.line(tr(say("next: {step}", step=self._about("history", plain(name)))))

    def if_gone(self, name: str) -> None:
        """The command for a server that was not examined for long, where it is gone."""
        # The database of a service is its administrator's.
        if not self.asked.service and is_typable(plain(name)):
            forget = typed(self._about("forget", limit_word(plain(name))))
            self.line(tr(say("if the server no longer exists: {command}", command=forget)))

    def _about(self, verb: str, word: str) -> str:
        """A command for one server, also for one whose name looks like an option."""
        if word.startswith("-"):
            return f"volact {verb}{self.asked.option} -- {quoted(word)}"
        return f"volact {verb} {quoted(word)}{self.asked.option}"


def bar(servers: int, most: int) -> str:
    """A bar of a histogram; any count above zero is visible."""
    return "#" * (max(1, round(_BAR * servers / most)) if servers else 0)


def number(value: int, colour: str = "") -> Cell:
    """A count; none is a dash that does not draw the eye."""
    return Cell(str(value), colour, True) if value else Cell("-", "dim", True)


def verdict_columns(summaries: Iterable[Summary]) -> tuple[Verdict, ...]:
    """The verdicts that a table has columns for: those that any server has."""
    found = list(summaries)
    return tuple(word for word in COUNTED if any(count_of(each, word) for each in found))


def moment(text: str | None) -> str:
    """A moment to the minute, UTC."""
    return plain((text or "")[:16].replace("T", " "))


def ago(text: str | None, now: datetime) -> str:
    """How long before now."""
    days = days_until(text, now)
    if days is None:
        return tr(say("never"))
    return tr(say("{span} ago", span=duration(max(0.0, -days) * 86400)))


def some(names: Sequence[str], of: int) -> str:
    """Names, and how many more there are."""
    shown = tr(listed(plain(name) for name in names))
    more = of - len(names)
    if more <= 0:
        return shown
    return f"{shown} {tr(count(more, 'and {n} more', 'and {n} more'))}"


def cut(text: str, columns: int) -> str:
    """At most so many columns of a name."""
    if width(text) <= columns:
        return text
    kept = text[: 2 * columns]  # a name may be as long as a hostile server likes
    while width(kept) > columns - 1:
        kept = kept[:-1]
    return f"{kept}…"
