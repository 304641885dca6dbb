"""Deleting old runs, without losing what is known of any server."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from volact.store.clock import moment
from volact.store.tables import BELOW_A_ROW, FACTS, ROWS, RUNS, SERVERS
from volact.store.values import Pruned


def prune(connection: sa.Connection, older_than: timedelta, *, keep: int, dry_run: bool) -> Pruned:
    """Delete runs that began longer ago, but for the newest ``keep``."""
    old = old_runs(connection, datetime.now(UTC) - older_than, keep=keep)
    total = connection.execute(sa.select(sa.func.count()).select_from(RUNS)).scalar_one()
    gone = thinned = rows = 0
    for run in old:
        deleted, left = prune_run(connection, run, dry_run=dry_run)
        rows += deleted
        gone += left == 0
        thinned += left > 0 and deleted > 0
    return Pruned(runs=gone, thinned=thinned, rows=rows, kept_runs=total - gone)


def old_runs(connection: sa.Connection, before: datetime, *, keep: int) -> list[str]:
    """Runs that began before a time, oldest first, but for the newest ``keep``."""
    newest = sa.select(RUNS.c.id).order_by(RUNS.c.begun.desc()).limit(keep)
    protected = {*connection.execute(newest).scalars()} if keep else set()
    query = sa.select(RUNS.c.id).where(RUNS.c.begun < moment(before)).order_by(RUNS.c.begun)
    return [id_ for id_ in connection.execute(query).scalars() if id_ not in protected]


def prune_facts(connection: sa.Connection, before: datetime) -> int:
    """Delete raw facts from before a time, but for each server's newest examination."""
    newest = sa.exists().where(
        SERVERS.c.name == FACTS.c.server, SERVERS.c.examined_run == FACTS.c.run
    )
    old = sa.delete(FACTS).where(FACTS.c.at < moment(before), sa.not_(newest))
    return connection.execute(old).rowcount


def give_back(engine: sa.Engine) -> None:
    """Give the room back to the disk; PostgreSQL does that by itself.

    Where another program is at work in the file, or the disk has no room for the
    copy that this takes, the room stays in the file and is used again.
    """
    if engine.dialect.name != "sqlite":
        return
    pooled = engine.raw_connection()
    try:
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            pooled.cursor().execute(statement)
    except sqlite3.OperationalError:
        return
    finally:
        pooled.close()


def prune_run(connection: sa.Connection, run: str, *, dry_run: bool = False) -> tuple[int, int]:
    """How many rows go, and how many stay because nothing newer is known."""
    needed = sa.select(SERVERS.c.name).where(
        sa.or_(SERVERS.c.last_run == run, SERVERS.c.examined_run == run)
    )
    of_run = sa.select(sa.func.count()).select_from(ROWS).where(ROWS.c.run == run)
    left = connection.execute(of_run.where(ROWS.c.server.in_(needed))).scalar_one()
    deleted = connection.execute(of_run).scalar_one() - left
    if dry_run:
        return deleted, left
    for table in BELOW_A_ROW:
        connection.execute(
            sa.delete(table).where(table.c.run == run, table.c.server.not_in(needed))
        )
    if left:
        connection.execute(sa.update(RUNS).where(RUNS.c.id == run).values(pruned=True))
    else:
        connection.execute(sa.delete(RUNS).where(RUNS.c.id == run))
    return deleted, left
