"""Lists from columns: each server's current state, and what a list of a run's rows shows.

The new columns are filled from the reports that are kept.  A report that cannot be read
leaves its columns as they are; nothing else is lost by it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from alembic import op

from volact.errors import StoreError
from volact.model.report import RunReport, ServerReport
from volact.store.columns import examined_columns, newest_columns, row_columns
from volact.store.encoding import readable, unpack_report

revision = "0002"
down_revision = "0001"

_AT_ONCE = 500
_ROW_COLUMNS = ("address", "cause", "edition", "partial_key", "findings")
_SERVER_COLUMNS = (
    "verdict", "error_kind", "cause", "causes", "subnet", "provider", "release", "kms_host",
    "status", "term", "expires", "ends", "overdue", "cmid",
)  # fmt: skip

_RUNS = sa.table("runs", sa.column("id"), sa.column("note"), sa.column("closing", sa.LargeBinary))
_ROWS = sa.table(
    "rows",
    *map(sa.column, ("run", "server", *_ROW_COLUMNS)),
    sa.column("report", sa.LargeBinary),
)
_SERVERS = sa.table(
    "servers", *map(sa.column, ("name", "last_run", "examined_run", *_SERVER_COLUMNS))
)


def upgrade() -> None:
    """Add the columns, fill them, take out what nothing reads."""
    _add_columns()
    connection = op.get_bind()
    _fill_runs(connection)
    _fill_rows(connection)
    _fill_servers(connection)
    _drop_unread()
    op.create_index("ix_findings_finding", "findings", ["finding", "run", "server"])
    for column in ("verdict", "provider", "kms_host", "ends"):
        op.create_index(f"ix_servers_{column}", "servers", [column, "name"])


def _add_columns() -> None:
    op.add_column("runs", _text("note", ""))
    for name, kind, default in (
        ("address", sa.String(255), ""),
        ("cause", sa.String(255), ""),
        ("edition", sa.String(255), None),
        ("partial_key", sa.String(255), None),
        ("findings", sa.Text, "[]"),
    ):
        op.add_column("rows", _column(name, kind, default))
    for name, kind, default in (
        ("tags", sa.Text, ""),
        ("verdict", sa.String(16), "unreachable"),
        ("error_kind", sa.String(32), None),
        ("cause", sa.String(255), ""),
        ("causes", sa.Text, None),
        ("subnet", sa.String(64), ""),
        ("provider", sa.String(255), None),
        ("release", sa.String(255), None),
        ("kms_host", sa.String(255), None),
        ("status", sa.String(255), None),
        ("term", sa.String(16), "unknown"),
        ("expires", sa.String(32), None),
        ("ends", sa.String(32), None),
        ("cmid", sa.String(255), None),
    ):
        op.add_column("servers", _column(name, kind, default))
    op.add_column(
        "servers", sa.Column("overdue", sa.Boolean, nullable=False, server_default=sa.false())
    )


def _column(name: str, kind: Any, default: str | None) -> sa.Column[Any]:
    if default is None:
        return sa.Column(name, kind)
    return sa.Column(name, kind, nullable=False, server_default=default)


def _text(name: str, default: str) -> sa.Column[Any]:
    return _column(name, sa.Text, default)


def _fill_runs(connection: sa.Connection) -> None:
    query = sa.select(_RUNS.c.id, _RUNS.c.closing).where(_RUNS.c.closing.is_not(None))
    for run, closing in connection.execute(query).all():
        notes = msgspec.json.decode(closing, type=RunReport).notes
        if notes:
            note = readable("; ".join(notes))
            connection.execute(sa.update(_RUNS).where(_RUNS.c.id == run).values(note=note))


def _fill_rows(connection: sa.Connection) -> None:
    """Each run by parts, in the order of the key, so that few rows are held at a time."""
    statement = (
        sa.update(_ROWS)
        .where(_ROWS.c.run == sa.bindparam("of_run"), _ROWS.c.server == sa.bindparam("of_server"))
        .values({name: sa.bindparam(f"to_{name}") for name in _ROW_COLUMNS})
    )
    for run in connection.execute(sa.select(_RUNS.c.id)).scalars().all():
        for part in _parts(connection, run):
            values = [_row_values(run, server, data) for server, data in part]
            filled = [each for each in values if each]
            if filled:
                connection.execute(statement, filled)


def _parts(connection: sa.Connection, run: str) -> Iterator[list[tuple[str, bytes]]]:
    query = (
        sa.select(_ROWS.c.server, _ROWS.c.report)
        .where(_ROWS.c.run == run)
        .order_by(_ROWS.c.server)
        .limit(_AT_ONCE)
    )
    part = [*connection.execute(query)]
    while part:
        yield [(server, data) for server, data in part]
        part = [*connection.execute(query.where(_ROWS.c.server > part[-1].server))]


def _row_values(run: str, server: str, data: bytes) -> dict[str, Any]:
    report = _read(data)
    if report is None:
        return {}
    values = row_columns(report)
    keys = {"of_run": run, "of_server": server}
    return keys | {f"to_{name}": values[name] for name in _ROW_COLUMNS}


def _fill_servers(connection: sa.Connection) -> None:
    newest, examined = _ROWS.alias("newest"), _ROWS.alias("examined")
    query = (
        sa.select(_SERVERS.c.name, newest.c.report, examined.c.report.label("examined"))
        .select_from(_SERVERS)
        .join(newest, _is_row(newest, _SERVERS.c.last_run))
        .outerjoin(examined, _is_row(examined, _SERVERS.c.examined_run))
        .order_by(_SERVERS.c.name)
        .limit(_AT_ONCE)
    )
    statement = (
        sa.update(_SERVERS)
        .where(_SERVERS.c.name == sa.bindparam("of_name"))
        .values({name: sa.bindparam(f"to_{name}") for name in _SERVER_COLUMNS})
    )
    found = connection.execute(query).all()
    while found:
        values = [_server_values(*row) for row in found]
        filled = [each for each in values if each]
        if filled:
            connection.execute(statement, filled)
        found = connection.execute(query.where(_SERVERS.c.name > found[-1].name)).all()


def _is_row(rows: Any, run: Any) -> Any:
    return sa.and_(rows.c.run == run, rows.c.server == _SERVERS.c.name)


def _server_values(name: str, newest: bytes, examined: bytes | None) -> dict[str, Any]:
    report, seen = _read(newest), _read(examined) if examined else None
    if report is None:
        return {}
    if report.error is not None and report.error.kind == "not-begun" and seen is not None:
        report = seen  # a turn that never came shows nothing of a server
    provider = row_columns(report)["provider"] or (row_columns(seen)["provider"] if seen else None)
    values = newest_columns(report) | examined_columns(seen) | {"provider": provider}
    return {"of_name": name} | {f"to_{name}": values[name] for name in _SERVER_COLUMNS}


def _read(data: bytes) -> ServerReport | None:
    try:
        return unpack_report(data)
    except StoreError:
        return None


def _drop_unread() -> None:
    """``build`` and ``cmid`` of a row, ``repair`` of a finding, and indexes over all runs."""
    op.drop_index("ix_rows_verdict", "rows")
    op.drop_index("ix_rows_expires", "rows")
    op.drop_index("ix_findings_finding", "findings")
    # An SQLite before 3.35 drops a column by copying the table, which doubles the file.
    copy: Literal["auto", "never"] = "auto" if sqlite3.sqlite_version_info < (3, 35) else "never"
    with op.batch_alter_table("rows", recreate=copy) as rows:
        rows.drop_column("build")
        rows.drop_column("cmid")
    with op.batch_alter_table("findings", recreate=copy) as findings:
        findings.drop_column("repair")
