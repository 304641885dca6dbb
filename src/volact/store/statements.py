"""A batch of what happened as statements, the same for both databases."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.dialects import sqlite

from volact.model.report import RunReport, ServerReport
from volact.model.step import Intent
from volact.store.clock import CLOCKS_DIFFER, moment
from volact.store.columns import (
    ColumnValues,
    examined_columns,
    name_column,
    newest_columns,
    row_columns,
    tags_column,
)
from volact.store.encoding import column, encode, encode_text, pack, readable, squeeze
from volact.store.events import (
    FactsSeen,
    RunEnded,
    ServerDone,
    StepsPlanned,
    StepsWithdrawn,
    StoreEvent,
)
from volact.store.tables import FACTS, FINDINGS, REVISIONS, ROWS, RUNS, SERVERS, STEPS
from volact.store.values import RunStart

_PARTS = 64  # of the revision: writers that are at work at once seldom wait for one line


class EventBatch(msgspec.Struct, frozen=True):
    """Items of one run that are committed together."""

    run_start: RunStart
    begun: str
    events: list[StoreEvent]


def write(connection: sa.Connection, batch: EventBatch, *, first: bool, now: str) -> None:
    """Write a batch; ``first`` when the run itself may not be there yet."""
    run = batch.run_start.id
    if first:
        _insert(connection, RUNS, [_opening(batch)])
    intents = [event.intent for event in batch.events if isinstance(event, StepsPlanned)]
    looks = [event for event in batch.events if isinstance(event, FactsSeen)]
    # By name: two processes that write the same servers then never wait for each other crosswise.
    done = sorted(
        (event for event in batch.events if isinstance(event, ServerDone)),
        key=lambda event: event.report.name,
    )
    _insert(connection, STEPS, [step for intent in intents for step in _steps(run, intent)])
    _delete_steps(
        connection, run, [it.intent for it in batch.events if isinstance(it, StepsWithdrawn)]
    )
    _insert(connection, FACTS, [_look(run, look) for look in looks])
    if done:
        _write_rows(connection, batch, done, now)
    for event in batch.events:
        if isinstance(event, RunEnded):
            _close(connection, run, event.report)
    if any(isinstance(event, ServerDone | RunEnded) for event in batch.events):
        mark_changed(connection)


def mark_changed(connection: sa.Connection) -> None:
    """Let readers know, with the transaction, that runs or servers are others than before."""
    insert = new_rows(connection, REVISIONS).values(part=secrets.randbelow(_PARTS), number=1)
    grown = {"number": REVISIONS.c.number + 1}
    connection.execute(insert.on_conflict_do_update(index_elements=["part"], set_=grown))


def _opening(batch: EventBatch) -> ColumnValues:
    run_start = batch.run_start
    return {
        "id": run_start.id,
        "begun": batch.begun,
        "command": run_start.command,
        "started": run_start.started,
        "volact": run_start.volact,
        "words": readable(run_start.words),
        "finished": False,
        "pruned": False,
    }


def _close(connection: sa.Connection, run: str, report: RunReport) -> None:
    connection.execute(
        sa.update(RUNS)
        .where(RUNS.c.id == run)
        .values(
            finished=True,
            elapsed_s=report.elapsed_s,
            summary=encode_text(report.summary),
            note=readable(_note(report)),
            closing=encode(replace(report, servers=())),
        )
    )


def _note(report: RunReport) -> str:
    """The notes in one line; the first of a run that stopped ends with a command, so it is last."""
    first = 0 if report.stopped is None else 1
    return "; ".join((*report.notes[first:], *report.notes[:first]))


def _write_rows(
    connection: sa.Connection, batch: EventBatch, done: list[ServerDone], now: str
) -> None:
    run, tags = batch.run_start.id, batch.run_start.tags
    keys = [{"of_run": run, "of_server": name_column(event.report.name)} for event in done]
    connection.execute(_FORGET, keys)
    connection.execute(_upsert(connection, ROWS), [_row(run, event) for event in done])
    _insert(connection, FINDINGS, [value for event in done for value in _findings(run, event)])
    results = [value for event in done for value in _results(run, event.report)]
    if results:
        connection.execute(_ANSWERED, results)
    seen = [_server(run, event, tags) for event in done if not _unseen(event.report)]
    unseen = [_server(run, event, tags) for event in done if _unseen(event.report)]
    if seen:
        connection.execute(_upsert_server(connection, now, with_tags=tags is not None), seen)
    _insert(connection, SERVERS, unseen)


def _unseen(report: ServerReport) -> bool:
    """Whether it was not visited: its turn never came, or an earlier run's row was taken over."""
    return report.carried or report.verdict == "not-started"


def _row(run: str, event: ServerDone) -> ColumnValues:
    report = event.report
    return {
        "run": run,
        "server": name_column(report.name),
        "at": event.at,
        **row_columns(report),
        "report": pack(report),
    }


def _server(
    run: str, event: ServerDone, tags: Mapping[str, tuple[str, ...]] | None
) -> ColumnValues:
    report = event.report
    examined = report.examined
    return {
        "name": name_column(report.name),
        "first_seen": event.at,
        "last_seen": event.at,
        "last_run": run,
        "tags": tags_column((tags or {}).get(report.name, ())),
        "provider": column(report.provider),
        **newest_columns(report),
        "examined_at": event.at if examined else None,
        "examined_run": run if examined else None,
        **examined_columns(report if examined else None),
    }


def _findings(run: str, event: ServerDone) -> Iterable[ColumnValues]:
    server = name_column(event.report.name)
    for position, finding in enumerate(event.report.findings):
        yield {
            "run": run,
            "server": server,
            "position": position,
            "finding": finding.id,
            "severity": finding.severity,
        }


def _delete_steps(connection: sa.Connection, run: str, intents: list[Intent]) -> None:
    """What never ran is nothing that could be undone."""
    if intents:
        keys = [
            {"of_run": run, "of_server": name_column(intent.server), "of_at": intent.at}
            for intent in intents
        ]
        connection.execute(_NEVER_RAN, keys)


def _look(run: str, look: FactsSeen) -> ColumnValues:
    return {
        "run": run,
        "server": name_column(look.server),
        "at": look.at,
        "look": look.look,
        "data": squeeze(look.facts),
    }


def _steps(run: str, intent: Intent) -> Iterable[ColumnValues]:
    for step in intent.steps:
        yield {
            "run": run,
            "server": name_column(intent.server),
            "at": intent.at,
            "position": step.index,
            "address": column(intent.address) or "",
            "provider": column(intent.provider) or "",
            "step": step.do,
            "params": encode_text(step.params),
            "because": encode_text(step.because),
            "before": encode_text(step.before),
        }


def _results(run: str, report: ServerReport) -> Iterable[ColumnValues]:
    for position, result in enumerate(report.results):
        yield {
            "of_run": run,
            "of_server": name_column(report.name),
            "of_position": position,
            "to_ok": bool(result.get("ok")),
            "to_changed": bool(result.get("changed")),
            "to_hresult": result.get("hresult"),
            "to_seen_before": encode_text(result.get("before") or {}),
            "to_after": encode_text(result.get("after") or {}),
        }


_FORGET = sa.delete(FINDINGS).where(
    FINDINGS.c.run == sa.bindparam("of_run"), FINDINGS.c.server == sa.bindparam("of_server")
)
_NEVER_RAN = sa.delete(STEPS).where(
    STEPS.c.run == sa.bindparam("of_run"),
    STEPS.c.server == sa.bindparam("of_server"),
    STEPS.c.at == sa.bindparam("of_at"),
)
_OTHER = STEPS.alias("other")
# The answer belongs to what was sent last.
_ANSWERED = (
    sa.update(STEPS)
    .where(
        STEPS.c.run == sa.bindparam("of_run"),
        STEPS.c.server == sa.bindparam("of_server"),
        STEPS.c.position == sa.bindparam("of_position"),
        STEPS.c.at
        == sa.select(sa.func.max(_OTHER.c.at))
        .where(_OTHER.c.run == STEPS.c.run, _OTHER.c.server == STEPS.c.server)
        .scalar_subquery(),
    )
    .values(
        {
            name: sa.bindparam(f"to_{name}")
            for name in ("ok", "changed", "hresult", "seen_before", "after")
        }
    )
)


def _insert(connection: sa.Connection, table: sa.Table, values: list[ColumnValues]) -> None:
    """Write what is not there yet."""
    if values:
        connection.execute(new_rows(connection, table).on_conflict_do_nothing(), values)


def _upsert(connection: sa.Connection, table: sa.Table) -> Any:
    keys = [*table.primary_key.columns]
    insert = new_rows(connection, table)
    rest = {key: insert.excluded[key] for key in (of.name for of in table.c if of not in keys)}
    return insert.on_conflict_do_update(index_elements=keys, set_=rest)


# The columns of a server that its newest row decides, and those of its newest examination.
_NEWEST = (
    "address", "last_seen", "last_run", "verdict", "error_kind", "cause", "causes", "subnet",
    "lapses", "lapse_cause",
)  # fmt: skip
_EXAMINED = (
    "examined_at", "examined_run", "release", "kms_host", "status", "term", "expires", "ends",
    "overdue", "cmid",
)  # fmt: skip


def _upsert_server(connection: sa.Connection, now: str, *, with_tags: bool) -> Any:
    """Newer data about a server replace older ones, whichever process writes first.

    A time that is still to come is that of a clock which was ahead: it is none of newer data.
    """
    to_come = moment(datetime.fromisoformat(now) + CLOCKS_DIFFER)
    insert = new_rows(connection, SERVERS)
    new = insert.excluded
    newer = sa.or_(SERVERS.c.last_seen <= new.last_seen, SERVERS.c.last_seen > to_come)
    known = SERVERS.c.examined_at
    better = sa.and_(
        new.examined_at.is_not(None),
        sa.or_(known.is_(None), known <= new.examined_at, known > to_come),
    )
    values = {
        name: sa.case((condition, new[name]), else_=SERVERS.c[name])
        for condition, names in ((newer, _NEWEST), (better, _EXAMINED))
        for name in names
    }
    values["provider"] = sa.case(
        (sa.and_(newer, better), new.provider),
        (newer, sa.func.coalesce(new.provider, SERVERS.c.provider)),
        else_=sa.func.coalesce(SERVERS.c.provider, new.provider),
    )
    if with_tags:
        values["tags"] = sa.case((newer, new.tags), else_=SERVERS.c.tags)
    return insert.on_conflict_do_update(index_elements=[SERVERS.c.name], set_=values)


def new_rows(connection: sa.Connection, table: sa.Table) -> Any:
    """The dialect's own insert, which knows what to do about conflicts."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - slow, and seldom needed

        return insert(table)
    return sqlite.insert(table)
