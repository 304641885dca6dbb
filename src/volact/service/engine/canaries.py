"""The canaries of a run: servers that were sent steps.  Others are drawn for those that were not.

One that is activated already shows nothing of what the steps of the run do.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import sqlalchemy as sa

from volact.fleet.canary import choose_canaries
from volact.fleet.failure_policy import FailureLimits, Stop
from volact.service.database.tables import RUN_SERVERS
from volact.service.engine.tally import ENDED, count_where, tally_of
from volact.store.tables import SERVERS, STEPS

_MOST_DRAWN = 1000
_LEFT = sa.not_(ENDED)
_SENT = sa.and_(
    ENDED,
    sa.exists().where(STEPS.c.run == RUN_SERVERS.c.run, STEPS.c.server == RUN_SERVERS.c.server),
)


def draw(connection: sa.Connection, run: str, wanted: int, reached: Collection[str]) -> None:
    """Choose more canaries where all have ended, and fewer than ``wanted`` were sent steps.

    Servers with the labels that are ``reached``, and first those that were not healthy when
    they were last seen.  Each time as many as needed no steps so far: a healthy fleet is
    examined in a few rounds.
    """
    of_run = RUN_SERVERS.c.run == run
    canary = sa.and_(of_run, RUN_SERVERS.c.canary)
    left, sent = count_where(connection, canary, _LEFT, _SENT)
    if left or sent >= wanted:
        return
    (ended,) = count_where(connection, of_run, ENDED)
    names = _candidates(connection, sa.and_(of_run, _LEFT), reached)
    number = min(_MOST_DRAWN, max(wanted - sent, ended - sent))
    chosen, _ = choose_canaries(names, number, lambda _: (), lambda name: name)
    if not chosen:
        return
    change = sa.update(RUN_SERVERS)
    connection.execute(change.where(canary, sa.not_(_SENT)).values(canary=False))
    connection.execute(change.where(of_run, RUN_SERVERS.c.server.in_(chosen)).values(canary=True))


def stop_of(
    connection: sa.Connection, run: str, attempt: int, limits: FailureLimits
) -> Stop | None:
    """The stop that the canaries are cause for, those that ended in earlier attempts left out.

    That none of them is proven stops a run only when as many as are wanted were sent steps:
    until then, others are drawn.
    """
    if not limits.canaries:
        return None
    of = sa.and_(RUN_SERVERS.c.run == run, RUN_SERVERS.c.canary)
    now = RUN_SERVERS.c.attempt >= attempt
    left, earlier = count_where(connection, of, _LEFT, sa.and_(_SENT, sa.not_(now)))
    tally = tally_of(connection, sa.and_(of, _SENT, now))
    canaries = max(left + tally.ended, limits.canaries - earlier)
    return tally.judge(msgspec.structs.replace(limits, canaries=canaries, failures=None))


def _candidates(
    connection: sa.Connection, of: sa.ColumnElement[bool], reached: Collection[str]
) -> list[str]:
    query = sa.select(RUN_SERVERS.c.server, SERVERS.c.verdict)
    query = query.outerjoin(SERVERS, SERVERS.c.name == RUN_SERVERS.c.server)
    query = query.where(of, RUN_SERVERS.c.label.in_(sorted(reached)))
    seen = connection.execute(query.order_by(RUN_SERVERS.c.position)).all()
    likely = [name for name, verdict in seen if verdict != "healthy"]
    return likely or [name for name, _ in seen]
