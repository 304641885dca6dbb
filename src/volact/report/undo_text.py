"""The text of an undo: what is, or would be, as it was, what stays, and where that leads."""

from __future__ import annotations

from typing import Any

from volact.core.steps import SETTINGS
from volact.model.report import RunReport, ServerReport
from volact.model.text import Text, joined, listed, raw, say
from volact.model.undo import NotRestored, Undone, UndoRow
from volact.report.base import Invocation
from volact.report.group import natural
from volact.report.run_counts import UndoCounts, undo_of
from volact.report.terminal_safe import plain
from volact.report.terminal_writer import TerminalWriter
from volact.report.words import duration, error_words, is_access_list, os_words, value
from volact.report.wrap import wrapped
from volact.words import tr

UNDO_WORDS: dict[str, Text] = {
    "planned": say("to undo"),
    "undone": say("undone"),
    "partly": say("partly undone"),
    "failed": say("not undone"),
    "refused": say("nothing can be undone"),
    "nothing": say("nothing to undo"),
}
_LONG = 90  # a DACL is unreadable for most; the JSON has it whole


class UndoTextWriter:
    """A paragraph for each server with something to report, then the counts."""

    def __init__(self, terminal: TerminalWriter, how: Invocation) -> None:
        self._terminal, self._out = terminal, terminal.out
        self._how = how
        self._painted, self._columns = terminal.painted, terminal.columns
        self._counts = UndoCounts()
        self._parts: list[tuple[str, str]] = []

    def add(self, server: ServerReport) -> None:
        """Keep one server's paragraph."""
        self._counts.add(server)
        body = (wrapped(line.strip(), self._columns - 2, hang=2) for line in self._body(server))
        head = wrapped(self._head(server), self._columns, hang=2)
        head[0] = head[0].replace(name := plain(server.name), self._painted(name, "bold"), 1)
        lines = [*head, *(f"  {line}" for part in body for line in part), ""]
        self._parts.append((server.name, "".join(f"{line}\n" for line in lines)))

    def finish(self, run: RunReport) -> None:
        """Write everything, and the counts."""
        self.write_plans()
        for remark in run.notes:
            self._terminal.prose(plain(tr(say("note: {text}", text=remark))))
        words = self._counts.words
        counts = [
            (words["planned"], say("to undo")),
            (words["undone"], say("undone")),
            (words["partly"], say("partly undone")),
            (words["failed"] + words["refused"], say("not undone")),
            (words["nothing"], say("with nothing to undo")),
            (words["unreachable"], say("not examined")),
        ]
        told = (say("{n} {verdict}", n=n, verdict=word) for n, word in counts if n)
        said = listed(told) or raw("0")
        took = duration(run.elapsed_s)
        self._terminal.prose(tr(say("{counts}; {took}.", counts=said, took=took)))

    def write_plans(self) -> None:
        """Write the paragraphs alone."""
        for _, text in sorted(self._parts, key=lambda part: natural(part[0])):
            self._out.write(text)

    def _head(self, server: ServerReport) -> str:
        about = " | ".join(part for part in (plain(server.address), os_words(server)) if part)
        row = undo_of(server)
        word = tr(UNDO_WORDS[row.word]) if row else tr(say("not examined"))
        return f"{plain(server.name)}  {about}  {word}"

    def _body(self, server: ServerReport) -> list[str]:
        row = undo_of(server)
        if row is None:
            return [plain(tr(error_words(server.error)))] if server.error else []
        return undo_lines(row)


def undo_lines(row: UndoRow) -> list[str]:
    """What is restored, or would be, what is not and why, and where that leads."""
    title = say("to restore") if row.word == "planned" else say("restored")
    lines = [_titled(title, _setting(one)) for one in row.undone]
    lines += [_left_line(one) for one in row.left]
    if row.leads_to:
        found = joined(map(raw, row.leads_to))
        lines.append(plain(tr(say("then found again: {findings}", findings=found))))
    return lines


def _titled(title: str, message: str) -> str:
    return plain(tr(say("{title}: {message}", title=title, message=message)))


def _setting(one: Undone) -> str:
    if is_access_list(one.before):
        return _title(one.what)
    return _titled(_title(one.what), f"{_shown(one.put)} → {_shown(one.before)}")


def _left_line(one: NotRestored) -> str:
    """What stays, why, and both values where a later change is the reason."""
    word = say("not restored") if one.possible else say("stays")
    text = _titled(word, _titled(_title(one.what), one.reason))
    if one.possible and one.now is not None and one.before is not None:
        values = say("before: {was}, now: {now}", was=_shown(one.before), now=_shown(one.now))
        text = f"{text} ({tr(values)})"
    if one.allow_with:
        text = f"{text} [{one.allow_with}]"
    return plain(text)


def _title(what: str) -> str:
    kind, _, which = what.partition("/")
    title = tr(SETTINGS[kind].title) if kind in SETTINGS else kind
    return plain(f"{title} {which}".strip())


def _shown(item: Any) -> str:
    """A value as short as possible; none is what was not set."""
    if item is None or item == "":
        return tr(say("not set"))
    if isinstance(item, dict):
        return _several(item)
    text = value("", item)
    return plain(text if len(text) <= _LONG else f"{text[:_LONG]}…")


def _several(item: dict[str, Any]) -> str:
    if item.get("fixed") is False:
        return tr(say("from DHCP"))
    if "dns" in item:
        return value("", item["dns"])
    return plain(" ".join(_shown(part) for part in item.values()))
