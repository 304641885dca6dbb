"""How far the numbers of a run may go: one place for command line, API and engine."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec


class Bounds(NamedTuple):
    """The least and the most, both included."""

    least: int
    most: int


DEADLINE_S = Bounds(1, 3600)
RETRIES = Bounds(0, 20)
CONCURRENCY = Bounds(1, 2000)
# By the field of ``RunSpec``; ``concurrency`` 0: as many as there is room for.
RUN_BOUNDS = {
    "kms_concurrency": CONCURRENCY,
    "concurrency": Bounds(0, CONCURRENCY.most),
    "deadline_s": DEADLINE_S,
    "retries": RETRIES,
}


def told(name: str, **more: Any) -> msgspec.Meta:
    """The bounds of a field for the document of the API.

    They do not hold where a run is read: one may have been stored before there were any.
    """
    least, most = RUN_BOUNDS[name]
    return msgspec.Meta(extra_json_schema={"extra": {"minimum": least, "maximum": most}}, **more)
