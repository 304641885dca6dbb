"""Servers with one verdict, cause and kind of next step as one group; clusters as lines.

37 servers with one cause need one repair, not 37.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from volact.core.findings import BY_ID
from volact.core.main_cause import cause
from volact.model.report import Cluster, ServerReport, Verdict
from volact.model.text import Text, count, say
from volact.report.next_step import step_kind
from volact.report.terminal_safe import plain
from volact.report.words import MEANS, WORST_FIRST, cause_title
from volact.words import tr

Natural = tuple[tuple[int, int, str], ...]


class CauseGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Servers that share a verdict, a cause and a kind of next step."""

    verdict: Verdict
    cause: str  # finding id, "error:<kind>", or "" for none
    title: str  # in English: the shared sentence, else what the cause means
    shared: bool  # whether the title is every server's own sentence
    servers: tuple[ServerReport, ...]


def groups(servers: Iterable[ServerReport]) -> tuple[CauseGroup, ...]:
    """The groups, worst verdict first, largest first within a verdict."""
    heaps: dict[tuple[Verdict, str, str], list[ServerReport]] = defaultdict(list)
    for server in servers:
        heaps[server.verdict, cause(server), step_kind(server)].append(server)
    made = [_group(verdict, word, rows) for (verdict, word, _), rows in heaps.items()]
    return tuple(
        sorted(made, key=lambda g: (WORST_FIRST.index(g.verdict), -len(g.servers), g.cause))
    )


def _group(verdict: Verdict, word: str, rows: list[ServerReport]) -> CauseGroup:
    ordered = tuple(sorted(rows, key=lambda row: natural(row.name)))
    said = {cause_title(row) for row in rows}
    return CauseGroup(
        verdict=verdict,
        cause=word,
        title=title_of(word, verdict, said),
        shared=len(said) == 1,
        servers=ordered,
    )


def title_of(word: str, verdict: Verdict, said: Collection[str]) -> str:
    """The sentence that all servers of a group have, else what the cause means."""
    if len(said) == 1:
        return next(iter(said))
    return (BY_ID[word].meaning if word in BY_ID else "") or MEANS[verdict]


def natural(name: str) -> Natural:
    """A sort key that puts web-2 before web-10."""
    parts = re.findall("([0-9]+)|([^0-9]+)", f"{name.casefold()}\0")
    return tuple(_as_number(digits) if digits else (1, 0, text) for digits, text in parts)


def _as_number(digits: str) -> tuple[int, int, str]:
    """In the order of numbers; Python makes no number of thousands of digits."""
    value = digits.lstrip("0")
    return 0, len(value), value + digits


_DIGITS = re.compile(r"[0-9]+")


def natural_text(name: str) -> str:
    """The same order, nearly, as a small text: for ten thousand names at once."""
    return _DIGITS.sub(lambda digits: digits[0].rjust(12, "0"), name.casefold())


_SHOWN = 8


def worth_telling(clusters: Sequence[Cluster]) -> list[Cluster]:
    """Those that show more than the groups below them: a place, a kind, a shared machine ID."""
    return [c for c in clusters if c.where or c.cause == "duplicate-cmid"]


def cluster_lines(clusters: Sequence[Cluster]) -> Iterator[str]:
    """A line each, and how many more there are."""
    told = worth_telling(clusters)
    for cluster in told[:_SHOWN]:
        yield f"{plain(tr(cluster.summary))} [{plain(cluster.cause)}]"
    if len(told) > _SHOWN:
        yield tr(count(len(told) - _SHOWN, "and {n} more", "and {n} more"))


HEADING: Text = say("In common")
