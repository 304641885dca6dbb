"""Counting the recorded outcomes of a run's servers, in the database."""

from __future__ import annotations

import sqlalchemy as sa

from volact.fleet.failure_policy import NAMED, Tally
from volact.service.database.tables import RUN_SERVERS

ENDED = RUN_SERVERS.c.verdict != ""


def tally_of(connection: sa.Connection, of: sa.ColumnElement[bool]) -> Tally:
    """The outcomes of the servers that have ended, of those that the condition means."""
    of, failed = sa.and_(of, ENDED), RUN_SERVERS.c.failed
    healthy = RUN_SERVERS.c.verdict == "healthy"
    ended, proven, failures = count_where(connection, of, sa.true(), healthy, failed)
    names = sa.select(RUN_SERVERS.c.server).where(of, failed).order_by(RUN_SERVERS.c.position)
    first = connection.execute(names.limit(NAMED + 1)).scalars() if failures else ()
    return Tally(ended=ended, proven=proven, failures=failures, failed=tuple(first))


def count_where(
    connection: sa.Connection, of: sa.ColumnElement[bool], *what: sa.ColumnElement[bool]
) -> list[int]:
    """How many of the servers that ``of`` means each of the conditions holds for."""
    sums = (sa.func.coalesce(sa.func.sum(sa.case((one, 1), else_=0)), 0) for one in what)
    return [int(number) for number in connection.execute(sa.select(*sums).where(of)).one()]
