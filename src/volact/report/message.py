"""The one message about a run: a title, a few lines, and the same as data.

Pure: a finished run in, words out.  Its recipients and its delivery are
``volact.notify``'s.  Everything here fits a chat: no list of all
servers, and no text from a server can mention a person or be a link with a scheme.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from volact.model.report import RunReport, Verdict
from volact.model.text import Text, clauses, count, in_json, listed, say, without_surrogates
from volact.report.group import HEADING, cluster_lines
from volact.report.terminal_safe import plain
from volact.report.words import duration, servers_counted
from volact.words import tr

_SHOWN = 10
_MOST_CHANGES = 200
# What chats make of these: mentions, links, markup.
_CALLS = str.maketrans({"@": "＠", "<": "‹", ">": "›", "`": "'", "[": "(", "]": ")"})
_LINK = re.compile(r"\b(https?|ftp)://", re.IGNORECASE)


class ReportedChange(msgspec.Struct, frozen=True, kw_only=True):
    """A server whose state differs from the last time."""

    server: str
    kind: str  # worse, better, other, expiring, new
    was: Verdict | Literal[""]
    now: Verdict
    summary: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent: words for people, ``data`` for programs."""

    title: str
    text: str
    data: dict[str, Any]
    well: bool = False  # whether everything is as it should be


def message_of(
    run: RunReport,
    causes: Counter[str],
    repaired: Counter[str],
    changes: Sequence[ReportedChange] = (),
) -> Message:
    """The message about a finished run; ``causes`` and ``repaired`` as counted by ``RunCounts``."""
    title = harmless(_title(run))
    lines = [harmless(line) for line in _lines(run, causes, repaired, changes)]
    rest = msgspec.to_builtins(run, enc_hook=in_json)
    del rest["servers"]
    data = {
        "title": title,
        "text": "\n".join([title, *lines]),
        **rest,
        "causes": dict(causes.most_common()),
        "repaired": dict(repaired.most_common()),
        "changes": msgspec.to_builtins(list(changes[:_MOST_CHANGES]), enc_hook=in_json),
        "changes_total": len(changes),
    }
    return Message(
        title=title,
        text="\n".join(lines),
        data=without_surrogates(data),
        well=run.summary.healthy == run.summary.servers,
    )


def failure_message(why: str) -> Message:
    """The message that a watch could check nothing, and why."""
    title = harmless(tr(say("volact watch: the servers could not be checked")))
    text = harmless(tr(why))
    data = {"title": title, "text": f"{title}\n{text}", "command": "watch", "error": str(why)}
    return Message(title=title, text=text, data=without_surrogates(data))


def harmless(text: str) -> str:
    """One line without anything that a chat would obey; a bare name of a host it may link."""
    return _LINK.sub(r"\1: //", plain(text).translate(_CALLS))


def _title(run: RunReport) -> str:
    summary = run.summary
    said = say(
        "volact {command}: {n} of {all} healthy",
        command=run.command,
        n=summary.healthy,
        all=summary.servers,
    )
    return tr(said)


def _lines(
    run: RunReport, causes: Counter[str], repaired: Counter[str], changes: Sequence[ReportedChange]
) -> Iterator[str]:
    yield counts_line(run)
    yield from _changed(changes)
    clusters = list(cluster_lines(run.clusters))
    if clusters:
        yield f"{tr(HEADING)}:"
        yield from (f"- {line}" for line in clusters)
    if causes:
        yield tr(say("causes: {what}", what=_numbers(causes)))
    if repaired:
        yield tr(say("repaired in this run: {what}", what=_numbers(repaired)))
    for note in run.notes:
        yield tr(say("note: {text}", text=note))
    yield tr(say("run {id}", id=run.run))


def counts_line(run: RunReport) -> str:
    """How many servers there are of each verdict, and how long it took."""
    number = run.summary.changed
    changed = [say("changed {n}", n=number)] if number else []
    return tr(clauses([servers_counted(run.summary), *changed, duration(run.elapsed_s)]))


def _changed(changes: Sequence[ReportedChange]) -> Iterator[str]:
    """What differs from the last time, the worst first."""
    for change in changes[:_SHOWN]:
        yield f"- {tr(change.summary)}"
    if len(changes) > _SHOWN:
        yield tr(count(len(changes) - _SHOWN, "and {n} more", "and {n} more"))


def _numbers(counts: Counter[str]) -> Text:
    return listed(say("{what} {n}", what=tr(name), n=n) for name, n in counts.most_common(_SHOWN))
