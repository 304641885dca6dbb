"""What the HTML page shows, prepared: the template only lays it out.

Pure: rows in, small values with ready words out.  Nothing here is markup;
escaping is the template engine's.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter

import msgspec

from volact.core.main_cause import cause, lead
from volact.model.report import ServerReport, Summary, Verdict, count_of
from volact.model.text import Text, say
from volact.report.base import Invocation
from volact.report.group import Natural, natural, title_of
from volact.report.next_step import next_step, shared, step_kind
from volact.report.run_counts import causes
from volact.report.step_lines import Lines
from volact.report.words import (
    COUNTED,
    ERROR_NAMES,
    VERDICTS,
    WORST_FIRST,
    cause_title,
    days_left,
    meaning_of,
    pairs,
    readable,
    result_line,
)
from volact.words import tr

_NAMES_SHOWN = 12
_TONES = {"error": "bad", "warning": "warn"}
_BUCKETS: tuple[tuple[Text, float], ...] = (
    (say("expired"), 0),
    (say("under 7 days"), 7),
    (say("7 to 30 days"), 30),
    (say("30 to 90 days"), 90),
    (say("90 to 150 days"), 150),
    (say("over 150 days"), float("inf")),
)


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict's count."""

    verdict: Verdict
    word: str
    means: str
    count: int
    share: float  # percent
    offset: float  # percent, where its part of the whole bar starts
    before: int | None


class VerdictBar(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a chart; ``part`` is drawn before ``rest`` in the same line."""

    name: str
    part: int
    rest: int
    part_width: float  # percent of the longest line
    rest_width: float
    tone: str
    token: str = ""  # what the servers behind it can be filtered by


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One group of servers that need a person."""

    verdict: Verdict
    word: str
    cause: str
    token: str  # what its servers can be filtered by
    title: str
    detail: str  # what all of them show alike
    count: int
    next: Lines
    names: tuple[tuple[str, str], ...]  # anchor, name
    more: int


def tiles(summary: Summary, before: Summary | None, *, accepted: bool = False) -> list[Tile]:
    """The counts with their share of the whole; servers not started only where there are any."""
    total = max(1, summary.servers)
    made, offset = [], 0.0
    for verdict in COUNTED:
        count = count_of(summary, verdict)
        if verdict == "not-started" and not count:
            continue
        share = round(100 * count / total, 3)
        earlier = None if before is None else count_of(before, verdict)
        made.append(
            Tile(verdict=verdict, word=tr(VERDICTS[verdict]),
                 means=tr(meaning_of(verdict, accepted=accepted)),
                 count=count, share=share, offset=offset, before=earlier)
        )  # fmt: skip
        offset = round(offset + share, 3)
    return made


class CauseBars:
    """How many servers have each error or warning, and on how many it was repaired."""

    def __init__(self) -> None:
        self._standing: Counter[str] = Counter()
        self._repaired: Counter[str] = Counter()
        self._tones: dict[str, str] = {}
        self._tokens: dict[str, str] = {}

    def add(self, server: ServerReport) -> None:
        """Count one server."""
        for name, severity in causes(server).items():
            self._standing[name] += 1
            if severity == "error" or name not in self._tones:
                self._tones[name] = _TONES[severity]
        if server.error is not None:
            self._tokens[ERROR_NAMES[server.error.kind]] = f"error:{server.error.kind}"
        self._repaired.update(set(server.resolved))

    def bars(self) -> list[VerdictBar]:
        """All of them, the most frequent first, each with what its servers can be filtered by."""
        both = (self._standing + self._repaired).most_common()
        longest = max((count for _, count in both), default=1)
        return [self._of(name, longest) for name, _ in both]

    def _of(self, name: str, longest: int) -> VerdictBar:
        standing, repaired = self._standing[name], self._repaired[name]
        bar = _bar(tr(name), standing, repaired, longest, self._tones.get(name, "bad"))
        token = self._tokens.get(name, name) if standing else ""
        return msgspec.structs.replace(bar, token=token)


def _bar(name: str, part: int, rest: int, longest: int, tone: str) -> VerdictBar:
    return VerdictBar(
        name=name,
        part=part,
        rest=rest,
        part_width=round(100 * part / longest, 2),
        rest_width=round(100 * rest / longest, 2),
        tone=tone,
    )


class ExpiryBars:
    """How many licences have how much left; only servers where that is known."""

    def __init__(self, now: str) -> None:
        self._now = now
        self._counts: dict[Text, int] = dict.fromkeys((name for name, _ in _BUCKETS), 0)

    def add(self, server: ServerReport) -> None:
        """Count one server."""
        left = days_left(server.license.expires, self._now)
        if left is not None:
            self._counts[next(name for name, end in _BUCKETS if left < end)] += 1

    def bars(self) -> list[VerdictBar]:
        """A bar for each span; none when no licence's end is known."""
        longest = max([1, *self._counts.values()])
        tones = ("bad", "bad", "warn", "good", "good", "good")
        made = [
            _bar(tr(name), count, 0, longest, tone)
            for (name, count), tone in zip(self._counts.items(), tones, strict=True)
        ]
        return made if any(self._counts.values()) else []


class _Heap:
    """One group of servers: a few of them, and what all have alike."""

    def __init__(self) -> None:
        self.count = 0
        self.few: list[tuple[Natural, str, ServerReport]] = []  # the first by name
        self.titles: set[str] = set()
        self.details: set[str] = set()
        self.steps: set[Lines] = set()

    def add(self, server: ServerReport, anchor: str, how: Invocation) -> None:
        """Take a server; of what differs two are enough to know that it does."""
        self.count += 1
        if len(self.titles) < 2:
            self.titles.add(cause_title(server))
        if len(self.details) < 2:
            self.details.add(_detail(server))
        if len(self.steps) < 2:
            self.steps.add(next_step([server], how))
        key = natural(server.name)
        if len(self.few) < _NAMES_SHOWN or key < self.few[-1][0]:
            insort(self.few, (key, anchor, server), key=lambda item: item[:2])
            del self.few[_NAMES_SHOWN:]


class Cards:
    """What needs a person, in groups, of which only a few servers each are kept."""

    def __init__(self, how: Invocation) -> None:
        self._how = how
        self._heaps: dict[tuple[Verdict, str, str], _Heap] = {}

    def add(self, server: ServerReport, anchor: str) -> None:
        """Take a server that is not healthy."""
        if server.verdict != "healthy":
            heap = self._heaps.setdefault(
                (server.verdict, cause(server), step_kind(server)), _Heap()
            )
            heap.add(server, anchor, self._how)

    def cards(self) -> list[Card]:
        """Worst verdict first, within it the largest first."""
        ranked = sorted(
            self._heaps.items(),
            key=lambda item: (WORST_FIRST.index(item[0][0]), -item[1].count, item[0][1]),
        )
        return [self._card(verdict, word, heap) for (verdict, word, _), heap in ranked]

    def _card(self, verdict: Verdict, word: str, heap: _Heap) -> Card:
        servers = [server for _, _, server in heap.few]
        return Card(
            verdict=verdict,
            word=tr(VERDICTS[verdict]),
            cause=word.removeprefix("error:"),
            token=word,
            title=tr(title_of(word, verdict, heap.titles)),
            detail=next(iter(heap.details)) if len(heap.details) == 1 else "",
            count=heap.count,
            next=shared(servers, heap.steps, self._how),
            names=tuple((anchor, server.name) for _, anchor, server in heap.few),
            more=max(0, heap.count - len(heap.few)),
        )


def columns() -> list[tuple[str, str]]:
    """The heads of the list: by what they sort, and their words."""
    return [
        ("worst", tr(say("Verdict"))),
        ("name", tr(say("Server"))),
        ("os", tr(say("Release"))),
        ("days", tr(say("Licence"))),
        ("kms", tr(say("KMS host"))),
        ("cause", tr(say("Cause"))),
    ]


def _detail(server: ServerReport) -> str:
    """The one line of evidence that says most."""
    if server.error is not None:
        return tr(server.error.message)
    for result in server.results:
        if not result.get("ok"):
            return result_line(result)
    first = lead(server)
    return pairs(readable(first.evidence)) if first else ""
