"""Deleting: old runs, without losing what is known of any server; servers, with all about them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from volact.model.name_edges import LETTERS, whole
from volact.model.report import RunReport
from volact.store.clock import moment
from volact.store.encoding import encode
from volact.store.statements import mark_changed
from volact.store.tables import BELOW_A_ROW, FACTS, ROWS, RUNS, SERVERS
from volact.store.values import Forgotten, Pruned

_DEAD_AFTER = timedelta(days=7)  # a run that has not ended by then


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
    """Runs that began before a time, oldest first, but for the newest ``keep``.

    One that has not ended may go on, or have to be undone: it is old a week later.
    """
    newest = sa.select(RUNS.c.id).order_by(RUNS.c.begun.desc()).limit(keep)
    protected = {*connection.execute(newest).scalars()} if keep else set()
    dead = RUNS.c.begun < moment(before - _DEAD_AFTER)
    old = sa.and_(RUNS.c.begun < moment(before), sa.or_(RUNS.c.finished, dead))
    query = sa.select(RUNS.c.id).where(old).order_by(RUNS.c.begun)
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
    mark_changed(connection)
    for table in BELOW_A_ROW:
        connection.execute(
            sa.delete(table).where(table.c.run == run, table.c.server.not_in(needed))
        )
    if left:
        connection.execute(sa.update(RUNS).where(RUNS.c.id == run).values(pruned=True))
    else:
        connection.execute(sa.delete(RUNS).where(RUNS.c.id == run))
    return deleted, left


_AT_ONCE = 500
_HIDDEN = "(forgotten)"
Hide = Callable[[str], str]


def forget(connection: sa.Connection, names: Sequence[str]) -> Forgotten:
    """Delete everything of these servers; a run that has no other is deleted too.

    Where a run goes on that has one of them, the server is stored again when it is done.
    """
    mark_changed(connection)
    runs: set[str] = set()
    words: set[str] = {*names}
    rows = 0
    for at in range(0, len(names), _AT_ONCE):
        some = names[at : at + _AT_ONCE]
        of = ROWS.c.server.in_(some)
        words |= {*connection.execute(sa.select(ROWS.c.address).distinct().where(of)).scalars()}
        rows += connection.execute(sa.select(sa.func.count()).where(of)).scalar_one()
        for table in BELOW_A_ROW:
            meant = table.c.server.in_(some)
            runs |= {*connection.execute(sa.select(table.c.run).distinct().where(meant)).scalars()}
            connection.execute(sa.delete(table).where(meant))
        connection.execute(sa.delete(SERVERS).where(SERVERS.c.name.in_(some)))
    empty = [run for run in runs if not any(_has(connection, table, run) for table in BELOW_A_ROW)]
    for run in empty:
        connection.execute(sa.delete(RUNS).where(RUNS.c.id == run))
    _hide(connection, runs.difference(empty), words - {""})
    return Forgotten(servers=tuple(names), rows=rows, runs=len(empty))


def _has(connection: sa.Connection, table: sa.Table, run: str) -> bool:
    found = sa.select(table.c.run).where(table.c.run == run).limit(1)
    return connection.execute(found).scalar() is not None


def _hide(connection: sa.Connection, runs: set[str], words: set[str]) -> None:
    """Take the names and addresses out of what runs that stay say of themselves."""
    some = "|".join(map(whole, sorted(words, key=len, reverse=True)))
    pattern = re.compile(rf"(?:{some})(?!\.[{LETTERS}])")

    def hide(text: str) -> str:
        return pattern.sub(_HIDDEN, text)

    for run, typed, note, closing in _runs(connection, sorted(runs)):
        report = closing and _without(msgspec.json.decode(closing, type=RunReport), words, hide)
        connection.execute(
            sa.update(RUNS)
            .where(RUNS.c.id == run)
            .values(
                pruned=True,
                words=hide(typed),
                note=hide(note),
                closing=encode(report) if report else closing,
            )
        )


def _runs(
    connection: sa.Connection, ids: Sequence[str]
) -> Iterator[tuple[str, str, str, bytes | None]]:
    for at in range(0, len(ids), _AT_ONCE):
        query = sa.select(RUNS.c.id, RUNS.c.words, RUNS.c.note, RUNS.c.closing)
        for row in connection.execute(query.where(RUNS.c.id.in_(ids[at : at + _AT_ONCE]))).all():
            yield row.id, row.words, row.note, row.closing


def _without(report: RunReport, words: set[str], hide: Hide) -> RunReport:
    stopped = report.stopped
    if stopped is not None:
        stopped = replace(stopped, message=hide(stopped.message), command=hide(stopped.command))
    clusters = tuple(
        replace(
            cluster,
            summary=hide(cluster.summary),
            names=tuple(name for name in cluster.names if name not in words),
        )
        for cluster in report.clusters
    )
    notes = tuple(map(hide, report.notes))
    return replace(report, clusters=clusters, notes=notes, stopped=stopped)
