"""The clusters of a run as lines for a person: what many servers have in common, first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from volact.model.report import Cluster
from volact.model.text import Text, count, say
from volact.report.safe import plain
from volact.words import tr

_SHOWN = 8


def worth_telling(clusters: Sequence[Cluster]) -> list[Cluster]:
    """Those that say more than the groups below them: a place, a kind, a shared machine ID."""
    return [c for c in clusters if c.where or c.cause == "duplicate-cmid"]


def cluster_lines(clusters: Sequence[Cluster]) -> Iterator[str]:
    """A line each, and how many more there are."""
    told = worth_telling(clusters)
    for cluster in told[:_SHOWN]:
        yield f"{plain(tr(cluster.summary))} [{plain(cluster.cause)}]"
    if len(told) > _SHOWN:
        yield tr(count(len(told) - _SHOWN, "and {n} more", "and {n} more"))


HEADING: Text = say("In common")
