"""Every examination of one server, with what came and went since the one before it.

The only question that reads whole reports: those of one server.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.core.main_cause import cause, lead
from volact.model.report import ServerReport
from volact.queries.pages import PageRequest, Reader, decode, encode
from volact.queries.values import History, LookRow, StepRow
from volact.store.clock import moment
from volact.store.encoding import unpack_report
from volact.store.tables import ROWS, RUNS
from volact.store.values import StoredRow

_AT_ONCE = 50


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The examinations of a server, the newest first; only those since a moment, if given.

    ``HistoryQuery(server="web-01").ask(store, PageRequest(limit=20)).looks``
    """

    server: str
    since: datetime | None = None

    def ask(self, reader: Reader, request: PageRequest | None = None) -> History:
        """One page, or all of them; ``ValueError`` for a cursor of another list."""
        return reader.ask(lambda connection: self._ask(connection, request))

    def _ask(self, connection: sa.Connection, request: PageRequest | None) -> History:
        limit = request.limit if request else None
        with closing(self._rows(connection, request.cursor if request else "")) as found:
            rows, commands, looks = _taken(found, limit)
        made = list(islice(history(rows, commands), limit))
        if self.since is not None:
            made = [row for row in made if row.at >= moment(self.since)]
        best = next((row for row in rows if row.report.examined), rows[0] if rows else None)
        more = limit is not None and looks > limit and len(made) == limit
        return History(
            server=best.report if best else None,
            looks=tuple(made),
            next=encode([made[-1].at, made[-1].run]) if more else "",
        )

    def _rows(
        self, connection: sa.Connection, cursor: str
    ) -> Generator[tuple[str, StoredRow], None, None]:
        query = (
            sa.select(ROWS.c.run, ROWS.c.at, ROWS.c.report, RUNS.c.command)
            .join(RUNS, RUNS.c.id == ROWS.c.run)
            .where(ROWS.c.server == self.server)
            .order_by(ROWS.c.at.desc(), ROWS.c.run.desc())
        )
        if cursor:
            at, run = decode(cursor, (str, str))
            query = query.where(sa.or_(ROWS.c.at < at, sa.and_(ROWS.c.at == at, ROWS.c.run < run)))
        with connection.execute(query.execution_options(yield_per=_AT_ONCE)) as found:
            for row in found:
                report = unpack_report(row.report)
                yield row.command, StoredRow(run=row.run, at=row.at, report=report)


def _taken(
    found: Iterable[tuple[str, StoredRow]], limit: int | None
) -> tuple[list[StoredRow], dict[str, str], int]:
    """The rows of a page, the verb of each run, and the number of examinations among the rows.

    One examined row beyond the page is among them: what came and went on the last item of
    the page is measured against it.
    """
    rows: list[StoredRow] = []
    commands: dict[str, str] = {}
    looks = 0
    for command, row in found:
        rows.append(row)
        commands[row.run] = command
        looks += not row.report.carried
        if limit is not None and looks > limit and row.report.examined:
            break
    return rows, commands, looks


def history(rows: Iterable[StoredRow], commands: Mapping[str, str]) -> Iterator[LookRow]:
    """The examinations, newest first as given; ``commands`` names each run's verb.

    A failed examination shows nothing of findings: what came and went is measured
    against the last successful one before it.  A row that a resumed run took
    over from an earlier one is no examination: the server was not asked.
    """
    looks = [row for row in rows if not row.report.carried]
    before: list[ServerReport | None] = []
    last: ServerReport | None = None
    for row in reversed(looks):
        before.append(last)
        last = row.report if row.report.examined else last
    for row, older in zip(looks, reversed(before), strict=True):
        yield _row(row, older, commands.get(row.run, ""))


def _row(row: StoredRow, older: ServerReport | None, command: str) -> LookRow:
    report = row.report
    seen = report.examined
    stands, first = _ids(report) if seen else (), lead(report)
    before = _ids(older) if older else ()
    gone = (*before, *report.resolved) if seen else ()
    return LookRow(
        at=row.at,
        run=row.run,
        command=command,
        verdict=report.verdict,
        status=report.license.status if seen else None,
        kms_host=report.license.kms_host if seen else None,
        expires=report.license.expires if seen else None,
        cause=cause(report) if report.verdict != "healthy" else "",
        said=first.summary if seen and first else "",
        came=tuple(id for id in stands if id not in before),
        went=tuple(dict.fromkeys(id for id in gone if id not in stands)),
        stands=stands,
        steps=tuple(_step(result) for result in report.results),
        refused=tuple(dict.fromkeys(str(each.get("finding", "")) for each in report.refusals)),
        error=report.error,
        elapsed_s=report.elapsed_s,
        undo=report.undo or None,
        accepted=tuple(finding.id for finding in report.findings if finding.accepted),
        changed=report.changed,
    )


def _ids(report: ServerReport) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.id for finding in report.findings))


def _step(result: Mapping[str, Any]) -> StepRow:
    code = result.get("hresult")
    return StepRow(
        do=str(result.get("do", "?")),
        ok=bool(result.get("ok")),
        changed=bool(result.get("changed")),
        hresult=code if isinstance(code, int) else None,
        before=dict(result.get("before") or {}),
        after=dict(result.get("after") or {}),
        note=str(result.get("note") or ""),
    )
