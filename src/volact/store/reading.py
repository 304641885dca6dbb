"""Stored rows as they are: runs, servers' reports, steps with their values before, facts.

Lists, filters and digests are in ``volact.queries``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.errors import InputError
from volact.model.report import Summary
from volact.model.step import Intent, PlannedStep
from volact.model.text import say
from volact.store.clock import moment
from volact.store.encoding import decode_text, unpack_dict, unpack_report
from volact.store.tables import FACTS, ROWS, RUNS, SERVERS, STEPS, begins
from volact.store.values import Latest, RunRow, StoredRow

_AT_ONCE = 500  # rows in memory together
_NAMES_AT_ONCE = 400
_LAST = re.compile(r"last(~(?P<before>\d{1,6}))?")
# What a list of runs shows, in the order that ``run_rows`` takes.
RUN_COLUMNS = (
    RUNS.c.id, RUNS.c.command, RUNS.c.started, RUNS.c.elapsed_s, RUNS.c.volact, RUNS.c.finished,
    RUNS.c.summary, RUNS.c.words, RUNS.c.note, RUNS.c.pruned,
)  # fmt: skip


def runs(connection: sa.Connection, limit: int | None = None) -> list[RunRow]:
    """The runs, newest first."""
    query = sa.select(*RUN_COLUMNS).order_by(RUNS.c.begun.desc()).limit(limit)
    return run_rows(connection, connection.execute(query).all())


def find_run(connection: sa.Connection, text: str, commands: Collection[str] = ()) -> RunRow:
    """A run by id, unique beginning of one, ``last``, or ``last~N``: N runs before it."""
    query = sa.select(*RUN_COLUMNS).order_by(RUNS.c.begun.desc()).limit(2)
    if not text:  # it is the beginning of every id
        raise InputError(say("name a run"), say("see: volact runs"))
    if last := _LAST.fullmatch(text):
        query = query.where(RUNS.c.command.in_(commands)) if commands else query
        found = connection.execute(query.limit(1).offset(int(last["before"] or 0))).all()
        if not found:
            raise InputError(say("the store has no such run yet"), say("see: volact runs"))
    else:
        exact = connection.execute(query.where(RUNS.c.id == text)).all()
        found = exact or connection.execute(query.where(begins(RUNS.c.id, text))).all()
    if len(found) != 1:
        raise _no_run(connection, text, several=len(found) > 1)
    return run_rows(connection, found)[0]


def rows(connection: sa.Connection, run: str) -> Iterator[StoredRow]:
    """A run's rows in the order of their servers' names."""
    query = sa.select(ROWS.c.run, ROWS.c.at, ROWS.c.report).where(ROWS.c.run == run)
    query = query.order_by(ROWS.c.server).execution_options(yield_per=_AT_ONCE)
    for row in connection.execute(query):
        yield StoredRow(run=row.run, at=row.at, report=unpack_report(row.report))


def latest(connection: sa.Connection, names: Sequence[str] | None = None) -> Iterator[Latest]:
    """Each server's newest row, and its newest examination."""
    if names is None:
        yield from _latest(connection, _latest_query())
        return
    wanted = sorted(set(names))
    for at in range(0, len(wanted), _NAMES_AT_ONCE):
        some = wanted[at : at + _NAMES_AT_ONCE]
        yield from _latest(connection, _latest_query().where(SERVERS.c.name.in_(some)))


def verified_between(
    connection: sa.Connection, run: str, since: datetime, until: datetime
) -> set[str]:
    """Servers that this run, and none since, found or left healthy between two moments.

    One that a later run examined may stand otherwise: an undo puts values back.  So may one
    that a later run sent steps to, and was killed.
    """
    newest = sa.and_(SERVERS.c.name == ROWS.c.server, SERVERS.c.examined_run == run)
    sent = (
        sa.select(STEPS.c.server, sa.func.max(STEPS.c.at).label("at"))
        .where(STEPS.c.run != run, STEPS.c.at >= moment(since))
        .group_by(STEPS.c.server)
        .subquery()
    )
    query = (
        sa.select(ROWS.c.server)
        .join(SERVERS, newest)
        .outerjoin(sent, sent.c.server == ROWS.c.server)
        .where(
            sa.or_(sent.c.at.is_(None), sent.c.at < ROWS.c.at),
            SERVERS.c.verdict == "healthy",
            ROWS.c.run == run,
            ROWS.c.verdict == "healthy",
            ROWS.c.at.between(moment(since), moment(until)),
        )
    )
    return {*connection.execute(query).scalars()}


def _latest_query() -> sa.Select[tuple[str, str, bytes, str | None, str | None, bytes | None]]:
    newest, examined = ROWS.alias("newest"), ROWS.alias("examined")
    return (
        sa.select(
            newest.c.run,
            newest.c.at,
            newest.c.report,
            examined.c.run.label("examined_run"),
            examined.c.at.label("examined_at"),
            # The same row twice need not travel twice.
            sa.case((examined.c.run != newest.c.run, examined.c.report)).label("examined"),
        )
        .select_from(SERVERS)
        .join(newest, _is_row(newest, SERVERS.c.last_run))
        .outerjoin(examined, _is_row(examined, SERVERS.c.examined_run))
        .order_by(SERVERS.c.name)
    )


def _is_row(rows_: sa.FromClause, run: sa.Column[str]) -> sa.ColumnElement[bool]:
    return sa.and_(rows_.c.run == run, rows_.c.server == SERVERS.c.name)


def _latest(
    connection: sa.Connection,
    query: sa.Select[tuple[str, str, bytes, str | None, str | None, bytes | None]],
) -> Iterator[Latest]:
    for row in connection.execute(query.execution_options(yield_per=_AT_ONCE)):
        newest = StoredRow(run=row.run, at=row.at, report=unpack_report(row.report))
        examined = newest if row.examined_run == row.run else None
        if row.examined is not None:
            report = unpack_report(row.examined)
            examined = StoredRow(run=row.examined_run, at=row.examined_at, report=report)
        yield Latest(newest=newest, examined=examined)


def counts_of_rows(
    connection: sa.Connection, where: Iterable[sa.ColumnElement[bool]]
) -> dict[str, Summary]:
    """What the rows that are meant come to, for each run that has such rows."""
    changed = sa.func.sum(sa.case((ROWS.c.changed, 1), else_=0))
    query = sa.select(ROWS.c.run, ROWS.c.verdict, sa.func.count(), changed)
    query = query.where(*where).group_by(ROWS.c.run, ROWS.c.verdict)
    counts: dict[str, dict[str, int]] = {}
    for run, verdict, servers, did in connection.execute(query):
        of_run = counts.setdefault(run, {"servers": 0, "changed": 0})
        of_run[verdict.replace("-", "_")] = servers
        of_run["servers"] += servers
        of_run["changed"] += did
    return {run: Summary(**given) for run, given in counts.items()}


def run_rows(connection: sa.Connection, found: Iterable[Sequence[Any]]) -> list[RunRow]:
    """Runs out of ``RUN_COLUMNS``; those without a summary are counted by their rows."""
    found = [*found]
    at = RUN_COLUMNS.index(RUNS.c.summary)
    uncounted = [row[0] for row in found if row[at] is None]
    counted = counts_of_rows(connection, [ROWS.c.run.in_(uncounted)]) if uncounted else {}
    names = [column.name for column in RUN_COLUMNS]
    return [_run_row(dict(zip(names, row, strict=True)), counted) for row in found]


def _run_row(row: dict[str, Any], counted: dict[str, Summary]) -> RunRow:
    if row["summary"] is None:
        return RunRow(**{**row, "summary": counted.get(row["id"], Summary())})
    return RunRow(**{**row, "summary": msgspec.json.decode(row["summary"], type=Summary)})


def _no_run(connection: sa.Connection, text: str, *, several: bool) -> InputError:
    query = sa.select(RUNS.c.id).order_by(RUNS.c.begun.desc()).limit(1000)
    known = [*connection.execute(query).scalars()]
    if several:
        near = [id_ for id_ in known if id_.startswith(text)][:4]
        return InputError(
            say("several runs begin with {text}", text=text),
            say("which one: {ids}?", ids=", ".join(near)),
        )
    near = get_close_matches(text, known, 3, 0.5)
    if near:
        hint = say("did you mean {ids}? to list all: volact runs", ids=", ".join(near))
        return InputError(say("there is no run {text}", text=text), hint)
    return InputError(say("there is no run {text}", text=text), say("see: volact runs"))


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
    """The raw facts of one probe, or of the newest."""
    query = sa.select(FACTS.c.data).where(FACTS.c.run == run, FACTS.c.server == server)
    if look:
        query = query.where(FACTS.c.look == look)
    data = connection.execute(query.order_by(FACTS.c.at.desc()).limit(1)).scalar()
    return None if data is None else unpack_dict(data)


def looks(connection: sa.Connection, run: str) -> Iterator[dict[str, Any]]:
    """The raw facts of every probe of a run."""
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
