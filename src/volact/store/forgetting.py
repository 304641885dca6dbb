"""Taking servers out of the store: their rows, facts and steps, and their names in runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from volact.model.report import RunReport
from volact.store.encoding import encode
from volact.store.tables import BELOW_A_ROW, ROWS, RUNS, SERVERS
from volact.store.values import Forgotten

_AT_ONCE = 500
_HIDDEN = "(forgotten)"
Hide = Callable[[str], str]


def forget(connection: sa.Connection, names: Sequence[str]) -> Forgotten:
    """Delete everything of these servers; a run that has no other is deleted too.

    Where a run goes on that has one of them, the server is stored again when it is done.
    """
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
    some = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    pattern = re.compile(rf"(?<![\w.-])(?:{some})(?![\w-]|\.\w)")

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
