"""The task of retention: once a day, by one process of many, what is older than the policy goes.

The audit stays; what DBOS has is ``engine.old_workflows``'s.  A run goes in a transaction of its
own, so that no other writer waits long; the room that it leaves in an SQLite file is used again.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import sqlalchemy as sa

from volact.core.span import parse_span
from volact.service.database.tables import ANSWERS, LINKS, RUN_SERVERS, RUNS, SESSIONS, TASKS
from volact.service.database.transaction import transaction
from volact.service.policies import RetentionPolicy
from volact.service.policy_store import read_policy
from volact.store import pruning
from volact.store.clock import CLOCKS_DIFFER, moment
from volact.store.statements import new_rows
from volact.store.store import Store
from volact.store.tables import RUNS as STORED_RUNS

_LOG = logging.getLogger(__name__)
_DAY = timedelta(days=1)
_AGAIN = timedelta(hours=1)


def tidy(store: Store, now: datetime) -> bool:
    """Delete what is older than the policy, unless it was done within a day; whether it was."""
    if not claim(store, now, "retention"):
        return False
    _delete_old(store, now)
    finish(store, now, "retention")
    return True


def _delete_old(store: Store, now: datetime) -> None:
    policy = read_policy(store, RetentionPolicy)
    with transaction(store) as connection:
        for table in (LINKS, SESSIONS):
            connection.execute(sa.delete(table).where(table.c.expires < moment(now)))
        connection.execute(sa.delete(ANSWERS).where(ANSWERS.c.at < moment(now - _DAY)))
    if policy.runs:
        _prune_runs(store, now - parse_span(policy.runs, "runs"), policy.least_runs)
    if policy.facts:
        with transaction(store) as connection:
            deleted = pruning.prune_facts(connection, now - parse_span(policy.facts, "facts"))
        _LOG.info("retention: facts of %d examinations deleted", deleted)


def _prune_runs(store: Store, before: datetime, keep: int) -> None:
    going_on = sa.select(RUNS.c.id).where(RUNS.c.ended.is_(None))

    def read(connection: sa.Connection) -> list[str]:
        kept = {*connection.execute(going_on).scalars()}
        old = pruning.old_runs(connection, before, keep=keep)
        return [run for run in old if run not in kept]

    old, rows = store.ask(read), 0
    for run in old:
        with transaction(store) as connection:
            rows += pruning.prune_run(connection, run)[0]
            _delete_ended(connection, before, RUNS.c.id == run)
    with transaction(store) as connection:  # those that never began, too, have no rows
        _delete_ended(connection, before, RUNS.c.id.not_in(sa.select(STORED_RUNS.c.id)))
    _LOG.info("retention: %d rows of %d old runs deleted", rows, len(old))


def _delete_ended(connection: sa.Connection, before: datetime, of: sa.ColumnElement[bool]) -> None:
    ended = sa.and_(of, RUNS.c.ended < moment(before))
    runs = sa.select(RUNS.c.id).where(ended)
    connection.execute(sa.delete(RUN_SERVERS).where(RUN_SERVERS.c.run.in_(runs)))
    connection.execute(sa.delete(RUNS).where(ended))


def claim(store: Store, now: datetime, name: str) -> bool:
    """Whether this process does the day's task of this name now.

    One that never came to ``finish`` is done again an hour later.
    """
    at = moment(now - _DAY + _AGAIN)
    # A time to come is that of a clock which was ahead.
    old = sa.or_(TASKS.c.at <= moment(now - _DAY), TASKS.c.at > moment(now + CLOCKS_DIFFER))
    due = sa.update(TASKS).where(TASKS.c.name == name, old)
    with transaction(store) as connection:
        if connection.execute(due.values(at=at)).rowcount:
            return True
        known = connection.execute(sa.select(TASKS.c.name).where(TASKS.c.name == name)).first()
        if known is None:  # the first day: nothing is a day old; others may begin at once
            new = new_rows(connection, TASKS).on_conflict_do_nothing()
            connection.execute(new, {"name": name, "at": moment(now)})
    return False


def finish(store: Store, now: datetime, name: str) -> None:
    """The task that was claimed is done for a day."""
    with transaction(store) as connection:
        connection.execute(sa.update(TASKS).where(TASKS.c.name == name).values(at=moment(now)))
