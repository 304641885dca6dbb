"""A store of the first version, with everything in it, becomes one of this version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from first_store_tables import METADATA as FIRST
from store_samples import FACTS, WRONG_HOST, end, intent, row, silent
from store_structure import begin_old

from volact.model.report import ServerReport
from volact.queries.servers import ServersQuery
from volact.queries.status import StatusQuery
from volact.store import open_store
from volact.store.address import StoreAddress, parse_address
from volact.store.encoding import encode, encode_text, pack, squeeze
from volact.store.engine import make_engine
from volact.store.events import FactsSeen, RunEnded, ServerDone, StepsPlanned
from volact.store.schema import STORE
from volact.store.statements import EventBatch, write
from volact.store.store import Store
from volact.store.tables import METADATA, REVISIONS
from volact.store.values import RunStart

NOW = datetime(2027, 1, 1, tzinfo=UTC)
TIMES = {"aa11": "2026-11-24T11:15:00.000Z", "bb22": "2026-11-25T11:15:00.000Z"}
RUNS: dict[str, Sequence[ServerReport]] = {
    "aa11": (
        row("web-01", "attention", findings=(WRONG_HOST,)),
        row("web-02"),
        silent("web-03"),
        *(row(f"many-{at:04}") for at in range(1100)),
    ),
    "bb22": (
        silent("web-01", "timeout"),
        silent("web-02", "not-begun"),
        silent("web-04", "not-begun"),
        row("web-05 数据", findings=(WRONG_HOST,), addresses=("10.1.2.3",)),
    ),
}
OLD_SERVER = ("address", "first_seen", "last_seen", "last_run", "examined_at", "examined_run")


def old_engine(url: str) -> tuple[sa.Engine, StoreAddress]:
    """A database as the first version made it."""
    begin_old(url, STORE, FIRST)
    address = parse_address(url)
    assert address is not None
    return make_engine(address), address


def table(connection: sa.Connection, name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=connection)


def fill_old(connection: sa.Connection) -> None:
    """What the first version wrote, with the same moments as ``fill_new`` has."""
    servers: dict[str, dict[str, Any]] = {}
    for run, reports in RUNS.items():
        at = TIMES[run]
        insert(connection, "runs", [old_run(run)])
        insert(connection, "rows", [old_row(run, report) for report in reports])
        findings = [
            {"run": run, "server": report.name, "position": position, "finding": finding.id,
             "severity": finding.severity, "repair": finding.repair}
            for report in reports for position, finding in enumerate(report.findings)
        ]  # fmt: skip
        insert(connection, "findings", findings)
        for report in reports:
            known = servers.get(report.name)
            if report.error and report.error.kind == "not-begun" and known:
                continue
            seen = report.error is None
            servers[report.name] = {
                "name": report.name,
                "address": report.address,
                "first_seen": known["first_seen"] if known else at,
                "last_seen": at,
                "last_run": run,
                "examined_at": at if seen else known and known["examined_at"],
                "examined_run": run if seen else known and known["examined_run"],
            }
    insert(connection, "servers", [*servers.values()])
    insert(connection, "steps", old_steps())
    look = {"run": "aa11", "server": "web-01", "at": TIMES["aa11"], "look": "first"}
    insert(connection, "facts", [{**look, "data": squeeze(encode(FACTS))}])


def insert(connection: sa.Connection, name: str, values: list[dict[str, Any]]) -> None:
    connection.execute(sa.insert(table(connection, name)), values)


def old_run(run: str) -> dict[str, Any]:
    closing = end(run, notes=("a note", "another"), servers=len(RUNS[run]))
    return {
        "id": run, "begun": TIMES[run], "command": "check", "started": TIMES[run],
        "volact": "0.1.0", "words": "volact check", "finished": True, "pruned": False,
        "elapsed_s": 1.5, "summary": encode_text(closing.summary), "closing": encode(closing),
    }  # fmt: skip


def old_row(run: str, report: ServerReport) -> dict[str, Any]:
    if report.error is not None:
        report = msgspec.structs.replace(report, verdict="unreachable")  # also for not-begun
    os, license = report.os, report.license
    return {
        "run": run, "server": report.name, "at": TIMES[run], "verdict": report.verdict,
        "changed": False, "error_kind": report.error.kind if report.error else None,
        "provider": report.provider, "release": os.release, "build": os.build,
        "status": license.status, "channel": license.channel, "expires": license.expires,
        "kms_host": license.kms_host, "cmid": license.cmid, "report": pack(report),
    }  # fmt: skip


def old_steps() -> list[dict[str, Any]]:
    sent = intent("web-01")
    return [
        {"run": "aa11", "server": sent.server, "at": sent.at, "position": step.index,
         "address": sent.address, "provider": sent.provider, "step": step.do,
         "params": encode_text(step.params), "because": encode_text(step.because),
         "before": encode_text(step.before)}
        for step in sent.steps
    ]  # fmt: skip


def fill_new(store: Store) -> None:
    """The same runs as this version writes them."""
    for run, reports in RUNS.items():
        run_start = RunStart(
            id=run, command="check", started=TIMES[run], volact="0.1.0", words="volact check"
        )
        items: list[Any] = [ServerDone(TIMES[run], report) for report in reports]
        if run == "aa11":
            items.append(FactsSeen("web-01", TIMES[run], "first", encode(FACTS)))
            items.append(StepsPlanned(intent("web-01"), written=None))  # type: ignore[arg-type]
        items.append(RunEnded(end(run, notes=("a note", "another"), servers=len(reports))))
        with store.engine.begin() as connection:
            write(connection, EventBatch(run_start, TIMES[run], items), first=True, now=TIMES[run])


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every table, but for bytes that are compressed, and the number of changes there were."""
    with store.engine.connect() as connection:
        return {
            name: sorted(
                tuple(
                    value for column, value in row._mapping.items()
                    if not isinstance(value, bytes) and column != "because"
                )
                for row in connection.execute(sa.select(each))
            )
            for name, each in METADATA.tables.items()
            if each is not REVISIONS
        }  # fmt: skip


def test_an_upgraded_store_is_what_this_version_would_have_written(
    store_url: str, tmp_path: Any
) -> None:
    engine, _ = old_engine(store_url)
    with engine.begin() as connection:
        fill_old(connection)
    engine.dispose()
    with (
        open_store(store_url, create=True) as store,
        open_store(str(tmp_path / "fresh.db"), create=True) as fresh,
    ):
        fill_new(fresh)
        assert [*map(str, contents(store))] == [*map(str, contents(fresh))]
        for name, rows in contents(fresh).items():
            assert contents(store)[name] == rows, name
        kept = {
            (each.run, each.report.name): each.report
            for run in store.runs()
            for each in store.rows(run.id)
        }
        assert kept == {(run, each.name): each for run, all in RUNS.items() for each in all}
        assert store.facts("aa11", "web-01") == FACTS
        assert [*store.intents("aa11")] == [intent("web-01")]
        assert [run.note for run in store.runs()] == ["a note; another"] * 2
        assert StatusQuery(now=NOW).ask(store) == StatusQuery(now=NOW).ask(fresh)


def test_a_report_that_cannot_be_read_any_more_is_kept_as_it_is(store_url: str) -> None:
    engine, _ = old_engine(store_url)
    with engine.begin() as connection:
        fill_old(connection)
        rows = table(connection, "rows")
        connection.execute(
            sa.update(rows).where(rows.c.server == "web-02").values(report=b"spoilt")
        )
    engine.dispose()
    with open_store(store_url, create=True) as store:
        found = {each.name: each for each in ServersQuery(now=NOW).stream(store)}
    assert len(found) == len({each.name for all in RUNS.values() for each in all})
    assert found["web-02"].examined_at == TIMES["aa11"]
    assert msgspec.structs.asdict(found["web-01"])["cause"] == "error:timeout"
