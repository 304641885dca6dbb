"""Questions about what lies below a row: steps with their before-values, and facts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.model.intent import Intent, PlannedStep
from volact.store.pack import decode_text, unpack_dict
from volact.store.tables import FACTS, STEPS

_AT_ONCE = 500


def intents(connection: sa.Connection, run: str) -> Iterator[Intent]:
    """What was about to be sent, by server and then by time."""
    query = (
        sa.select(STEPS)
        .where(STEPS.c.run == run)
        .order_by(STEPS.c.server, STEPS.c.at, STEPS.c.position)
    )
    found = connection.execute(query.execution_options(yield_per=_AT_ONCE))
    for (server, at), group in groupby(found, lambda row: (row.server, row.at)):
        steps = [*group]
        yield Intent(
            server=server,
            address=steps[0].address,
            provider=steps[0].provider,
            at=at,
            steps=tuple(map(_planned, steps)),
        )


def facts(connection: sa.Connection, run: str, server: str, look: str) -> dict[str, Any] | None:
    """The raw facts of one look, or of the newest."""
    query = sa.select(FACTS.c.data).where(FACTS.c.run == run, FACTS.c.server == server)
    if look:
        query = query.where(FACTS.c.look == look)
    data = connection.execute(query.order_by(FACTS.c.at.desc()).limit(1)).scalar()
    return None if data is None else unpack_dict(data)


def looks(connection: sa.Connection, run: str) -> Iterator[dict[str, Any]]:
    """The raw facts of every look of a run."""
    query = sa.select(FACTS).where(FACTS.c.run == run)
    query = query.order_by(FACTS.c.server, FACTS.c.at)
    for row in connection.execute(query.execution_options(yield_per=_AT_ONCE)):
        yield {
            "run": row.run,
            "server": row.server,
            "at": row.at,
            "look": row.look,
            "facts": unpack_dict(row.data),
        }


def _planned(row: sa.Row[tuple[object, ...]]) -> PlannedStep:
    return PlannedStep(
        index=row.position,
        do=row.step,
        params=decode_text(row.params),
        because=msgspec.json.decode(row.because, type=tuple[str, ...]),
        before=decode_text(row.before),
    )
