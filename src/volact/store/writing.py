"""A batch of what happened as statements, the same for both databases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.dialects import sqlite

from volact.model.intent import Intent
from volact.model.report import RunReport, ServerReport
from volact.store.items import Done, Ended, Item, Seen, Sending, Withdrawn
from volact.store.pack import column, encode, encode_text, pack, readable, squeeze
from volact.store.tables import FACTS, FINDINGS, ROWS, RUNS, SERVERS, STEPS
from volact.store.values import Opening

Values = dict[str, Any]
_BIGGEST = 2**31


class Batch(msgspec.Struct, frozen=True):
    """Items of one run that are committed together."""

    opening: Opening
    begun: str
    items: list[Item]


def write(connection: sa.Connection, batch: Batch, *, first: bool) -> None:
    """Write a batch; ``first`` when the run itself may not be there yet."""
    run = batch.opening.id
    if first:
        _insert(connection, RUNS, [_opening(batch)])
    intents = [item.intent for item in batch.items if isinstance(item, Sending)]
    looks = [item for item in batch.items if isinstance(item, Seen)]
    # By name: two processes that write the same servers then never wait for each other crosswise.
    done = sorted(
        (item for item in batch.items if isinstance(item, Done)), key=lambda item: item.report.name
    )
    _insert(connection, STEPS, [step for intent in intents for step in _steps(run, intent)])
    _take_back(connection, run, [it.intent for it in batch.items if isinstance(it, Withdrawn)])
    _insert(connection, FACTS, [_look(run, look) for look in looks])
    if done:
        _write_rows(connection, run, done)
    for item in batch.items:
        if isinstance(item, Ended):
            _close(connection, run, item.report)


def _opening(batch: Batch) -> Values:
    opening = batch.opening
    return {
        "id": opening.id,
        "begun": batch.begun,
        "command": opening.command,
        "started": opening.started,
        "volact": opening.volact,
        "words": readable(opening.words),
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
            closing=encode(replace(report, servers=())),
        )
    )


def _write_rows(connection: sa.Connection, run: str, done: list[Done]) -> None:
    keys = [{"of_run": run, "of_server": _name(item.report.name)} for item in done]
    connection.execute(_FORGET, keys)
    connection.execute(_upsert(connection, ROWS), [_row(run, item) for item in done])
    _insert(connection, FINDINGS, [value for item in done for value in _findings(run, item)])
    results = [value for item in done for value in _results(run, item.report)]
    if results:
        connection.execute(_ANSWERED, results)
    seen = [_server(run, item) for item in done if not _unseen(item.report)]
    unseen = [_server(run, item) for item in done if _unseen(item.report)]
    if seen:
        connection.execute(_upsert_server(connection), seen)
    _insert(connection, SERVERS, unseen)


def _name(name: str) -> str:
    return column(name) or ""


def _unseen(report: ServerReport) -> bool:
    """Whether nobody went there: its turn never came, or an earlier run's row was taken over."""
    return report.carried or (report.error is not None and report.error.kind == "not-begun")


def _row(run: str, item: Done) -> Values:
    report = item.report
    build = report.os.build
    return {
        "run": run,
        "server": _name(report.name),
        "at": item.at,
        "verdict": report.verdict,
        "changed": any(result.get("changed") for result in report.results),
        "error_kind": report.error.kind if report.error else None,
        "provider": column(report.provider),
        "release": column(report.os.release),
        "build": build if build is not None and 0 <= build < _BIGGEST else None,
        "status": column(report.license.status),
        "channel": column(report.license.channel),
        "expires": (column(report.license.expires) or "")[:32] or None,
        "kms_host": column(report.license.kms_host),
        "cmid": column(report.license.cmid),
        "report": pack(report),
    }


def _server(run: str, item: Done) -> Values:
    examined = item.report.verdict != "unreachable"
    return {
        "name": _name(item.report.name),
        "address": column(item.report.address) or "",
        "first_seen": item.at,
        "last_seen": item.at,
        "last_run": run,
        "examined_at": item.at if examined else None,
        "examined_run": run if examined else None,
    }


def _findings(run: str, item: Done) -> Iterable[Values]:
    server = _name(item.report.name)
    for position, finding in enumerate(item.report.findings):
        yield {
            "run": run,
            "server": server,
            "position": position,
            "finding": finding.id,
            "severity": finding.severity,
            "repair": finding.repair,
        }


def _take_back(connection: sa.Connection, run: str, intents: list[Intent]) -> None:
    """What never ran is nothing that could be undone."""
    if intents:
        keys = [
            {"of_run": run, "of_server": _name(intent.server), "of_at": intent.at}
            for intent in intents
        ]
        connection.execute(_NEVER_RAN, keys)


def _look(run: str, look: Seen) -> Values:
    return {
        "run": run,
        "server": _name(look.server),
        "at": look.at,
        "look": look.look,
        "data": squeeze(look.facts),
    }


def _steps(run: str, intent: Intent) -> Iterable[Values]:
    for step in intent.steps:
        yield {
            "run": run,
            "server": _name(intent.server),
            "at": intent.at,
            "position": step.index,
            "address": column(intent.address) or "",
            "provider": column(intent.provider) or "",
            "step": step.do,
            "params": encode_text(step.params),
            "because": encode_text(step.because),
            "before": encode_text(step.before),
        }


def _results(run: str, report: ServerReport) -> Iterable[Values]:
    for position, result in enumerate(report.results):
        yield {
            "of_run": run,
            "of_server": _name(report.name),
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
# The answer is to what was sent last.
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


def _insert(connection: sa.Connection, table: sa.Table, values: list[Values]) -> None:
    """Write what is not there yet."""
    if values:
        connection.execute(_new(connection, table).on_conflict_do_nothing(), values)


def _upsert(connection: sa.Connection, table: sa.Table) -> Any:
    keys = [*table.primary_key.columns]
    insert = _new(connection, table)
    rest = {key: insert.excluded[key] for key in (of.name for of in table.c if of not in keys)}
    return insert.on_conflict_do_update(index_elements=keys, set_=rest)


def _upsert_server(connection: sa.Connection) -> Any:
    """Newer words about a server replace older ones, whichever process brings them first."""
    insert = _new(connection, SERVERS)
    new = insert.excluded
    newer = SERVERS.c.last_seen <= new.last_seen
    known = SERVERS.c.examined_at
    better = sa.and_(
        new.examined_at.is_not(None), sa.or_(known.is_(None), known <= new.examined_at)
    )
    values = {
        name: sa.case((newer, new[name]), else_=SERVERS.c[name])
        for name in ("address", "last_seen", "last_run")
    } | {
        name: sa.case((better, new[name]), else_=SERVERS.c[name])
        for name in ("examined_at", "examined_run")
    }
    return insert.on_conflict_do_update(index_elements=[SERVERS.c.name], set_=values)


def _new(connection: sa.Connection, table: sa.Table) -> Any:
    """The dialect's own insert, which knows what to do about conflicts."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - slow, and seldom needed

        return insert(table)
    return sqlite.insert(table)
