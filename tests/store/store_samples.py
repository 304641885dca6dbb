"""Runs to be stored: a writer on a store, rows, intents, and a run's end."""

from __future__ import annotations

from typing import Any

import msgspec

from volact.model.finding import Finding
from volact.model.report import (
    ErrorRow,
    LicenseRow,
    OsRow,
    RunReport,
    ServerReport,
    Summary,
    Verdict,
)
from volact.model.step import Intent, PlannedStep
from volact.store import open_store
from volact.store.address import parse_address
from volact.store.store import Store
from volact.store.store_writer import GATHER_S, StoreWriter
from volact.store.values import RunStart, WriteOutcome

FACTS: dict[str, Any] = {"os": {"caption": "Windows Server 2016 数据中心", "build": 14393}}
WRONG_HOST = Finding(id="kms-host-wrong", severity="error", summary="Another KMS host is set")
OVERDUE = Finding(id="renewal-overdue", severity="warning", summary="The renewal is overdue")


def store_writer(
    url: str,
    run: str,
    command: str = "activate",
    *,
    patience_s: float = 0.3,
    hang_s: float = 20.0,
    gather_s: float = GATHER_S,
    tags: dict[str, tuple[str, ...]] | None = None,
) -> StoreWriter:
    """A run on its way into a store."""
    address = parse_address(url)
    assert address is not None
    run_start = RunStart(
        id=run,
        command=command,
        started="2026-11-24T11:15:14Z",
        volact="0.1.0",
        words="volact activate -i fleet.toml",
        tags=tags,
    )
    found = StoreWriter(address, run_start, patience_s=patience_s, hang_s=hang_s, gather_s=gather_s)
    found.start()
    return found


def row(name: str, verdict: Verdict = "healthy", **given: Any) -> ServerReport:
    """A server's row."""
    return ServerReport(
        name=name,
        address=f"ssh://{name}.example",
        provider="tencent",
        verdict=verdict,
        executions=given.pop("executions", 1),
        os=OsRow(release="2016", build=14393, edition="ServerDatacenter"),
        license=LicenseRow(
            status="licensed", kms_host="kms.tencentyun.com:1688", expires="2027-05-01T00:00:00Z"
        ),
        **given,
    )


def silent(name: str, kind: Any = "connect") -> ServerReport:
    """A server that could not be asked."""
    error = ErrorRow(kind=kind, message="no answer")
    return ServerReport(
        name=name,
        address=f"ssh://{name}.example",
        provider=None,
        verdict="not-started" if kind == "not-begun" else "unreachable",
        error=error,
    )


def intent(name: str, at: str = "2026-11-24T11:15:15.001Z", steps: int = 2) -> Intent:
    """Steps that a server is about to be sent."""
    return Intent(
        server=name,
        address=f"ssh://{name}.example",
        provider="tencent",
        at=at,
        steps=tuple(
            PlannedStep(
                index=index,
                do="set-kms-host" if index == 0 else "activate",
                params={"hosts": ["kms.tencentyun.com:1688"]} if index == 0 else {},
                because=("kms-host-wrong",),
                before={"host": "kms.corp.example:1688"} if index == 0 else {"status": 5},
            )
            for index in range(steps)
        ),
    )


def end(run: str, notes: tuple[str, ...] = (), **counts: int) -> RunReport:
    """The end of a run."""
    return RunReport(
        volact="0.1.0",
        command="activate",
        run=run,
        started="2026-11-24T11:15:14Z",
        elapsed_s=1.5,
        servers=(),
        summary=Summary(**counts),
        notes=notes,
    )


def keep(url: str, run: str, *rows: ServerReport, command: str = "check") -> WriteOutcome:
    """A whole run of rows alone."""
    writer = store_writer(url, run, command)
    for report in rows:
        writer.row(report)
    return writer.finish(end(run, servers=len(rows)))


def licensed(name: str, expires: str | None, **given: Any) -> ServerReport:
    """A healthy server, with its licence."""
    license = LicenseRow(status="licensed", expires=expires, kms_host=given.pop("host", "kms:1688"))
    return msgspec.structs.replace(row(name, **given), license=license)


def two_runs(store_url: str) -> Store:
    """What each of six servers was, and what it is."""
    keep(store_url, "aa11", row("web-01", "attention", findings=(WRONG_HOST,)), row("db-01"))
    writer = store_writer(
        store_url, "bb22", tags={"web-01": ("web", "prod"), "db-01": ("web server",)}
    )
    for report in (
        silent("web-01"),
        licensed("web-02", "2026-12-01T00:00:00Z"),
        licensed("web-03", "2027-02-01T00:00:00Z", findings=(OVERDUE,), host="other:1688"),
        row("DB-01", "failed", findings=(WRONG_HOST,)),
        msgspec.structs.replace(row("db-01"), provider="tencent/finance"),
        msgspec.structs.replace(row("x[1]"), provider="aws"),
    ):
        writer.row(report)
    writer.finish(end("bb22", servers=6))
    return open_store(store_url, create=True)
