"""Servers that are taken out of the store: what goes, what stays, and that it is asked first."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from cli_run import volact
from msgspec.structs import replace
from store_samples import FACTS, end, intent, keep, row, silent, store_writer

from volact.model.report import Cluster, StopRow
from volact.queries.runs import RunReportQuery
from volact.queries.servers import NamesQuery
from volact.store import open_store
from volact.store.store import Store
from volact.store.tables import BELOW_A_ROW, RUNS, SERVERS


def opened(url: str) -> Store:
    return open_store(url, create=True)


def count(store: Store, table: sa.Table, name: str) -> int:
    column = table.c.name if table is SERVERS else table.c.server
    query = sa.select(sa.func.count()).select_from(table).where(column == name)
    return int(store.ask(lambda connection: connection.execute(query).scalar_one()))


@pytest.fixture
def url(store_url: str) -> str:
    """Two runs; the first has one server that the second has not, and tells of it."""
    keep(store_url, "aa11", row("old-01"))
    writer = store_writer(store_url, "bb22")
    writer.seen("old-01", "first", FACTS)
    for report in (row("old-01", "failed"), row("old-011"), row("web-01"), silent("gone-01")):
        writer.row(report)
    cluster = Cluster(
        cause="x", summary="old-01 and old-011 fail", servers=2, of=2, names=("old-01", "old-011")
    )
    message = "the rollout stopped: 1 server failed: old-01"
    stopped = StopRow(why="failures", message=message, not_begun=0, command="x --limit old-01")
    notes = (message, "see ssh://old-01.example", "重启old-01之后")
    writer.finish(
        replace(end("bb22", notes=notes, servers=4), clusters=(cluster,), stopped=stopped)
    )
    return store_url


@pytest.mark.parametrize("word", ["", ",", "!", "web-01,,old-01"])
def test_an_empty_name_forgets_no_server(url: str, word: str) -> None:
    done = volact("forget", word, "--yes", "--store", url)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == "volact: no server '' in the store (4 servers are stored: volact status)\n"
    )
    with opened(url) as store:
        assert len(NamesQuery().ask(store)) == 4


def test_nothing_of_a_forgotten_server_is_left(url: str) -> None:
    with opened(url) as store:
        told = store.forget(["old-01"])
        assert (told.servers, told.rows, told.runs) == (("old-01",), 2, 1)
        assert [count(store, table, "old-01") for table in (*BELOW_A_ROW, SERVERS)] == [0] * 5
        assert [run.id for run in store.runs()] == ["bb22"], "a run of that server alone"
        (run,) = store.runs()
        assert run.pruned
        assert NamesQuery().ask(store) == ["gone-01", "old-011", "web-01"]
        assert "old-01" not in (run.words + run.note).replace("old-011", "")
        report = RunReportQuery(run="bb22").ask(store)
        said = msgspec.json.encode(report).decode().replace("old-011", "")
        assert "old-01" not in said
        assert "(forgotten)" in said
    if url.endswith(".db"):
        raw = Path(url).read_bytes().replace(b"old-011", b"")
        assert b"old-01" not in raw, "the room that it took is given back"


def test_a_dry_run_deletes_nothing(url: str) -> None:
    with opened(url) as store:
        told = store.forget(["old-01"], dry_run=True)
        assert (told.rows, told.runs) == (2, 1)
        assert count(store, SERVERS, "old-01") == 1
        assert len(store.runs()) == 2


def test_steps_of_a_run_that_was_killed_go_too(store_url: str) -> None:
    writer = store_writer(store_url, "aa11")
    asyncio.run(writer.sending(intent("web-01")))
    writer.abandon()
    with opened(store_url) as store:
        assert [one.server for one in store.intents("aa11")] == ["web-01"]
        assert store.forget(["web-01"]).runs == 1
        assert store.runs() == []


def test_a_run_that_goes_on_while_its_only_server_is_forgotten_is_stored_anew(
    store_url: str,
) -> None:
    writer = store_writer(store_url, "dd44")
    writer.seen("old-01", "first", FACTS)
    asyncio.run(writer.sending(intent("old-01")))
    with opened(store_url) as store:
        store.forget(["old-01"])
    asyncio.run(writer.sending(intent("web-01")))
    with opened(store_url) as store:
        assert [one.server for one in store.intents("dd44")] == ["web-01"]
    writer.finish(end("dd44", servers=1))


def test_the_command_line_asks_and_takes_names_globs_and_age(url: str) -> None:
    forget = ("forget", "--store", url)
    refused = volact(*forget, "old-01")
    assert refused.returncode == 2
    assert "use --yes to delete without asking" in refused.stderr
    assert volact(*forget, "--yes").returncode == 2, "no server is named"
    unknown = volact(*forget, "old-0x", "--yes")
    assert unknown.returncode == 2
    assert "no server old-0x in the store (did you mean old-01" in unknown.stderr
    fresh = volact(*forget, "--older-than", "1h", "--yes")
    assert (fresh.returncode, fresh.stdout) == (0, "no server was deleted from the store\n")
    dry = json.loads(volact(*forget, "old-*", "--dry-run", "-o", "json").stdout)
    assert dry == {"dry_run": True, "servers": ["old-01", "old-011"], "rows": 3, "runs": 1}
    said = volact(*forget, "old-*", "--dry-run").stdout
    assert said == "to delete from the store: 2 servers (old-01, old-011), rows: 3\n"
    done = volact(*forget, "gone-01", "--yes")
    assert done.stdout == "deleted from the store: 1 server (gone-01), rows: 1\n"
    with opened(url) as store:
        with store.engine.begin() as connection:
            old = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
            connection.execute(
                sa.update(SERVERS).where(SERVERS.c.name == "old-011").values(last_seen=old)
            )
        aged = volact(*forget, "--older-than", "12w", "--yes", "-o", "json")
        assert json.loads(aged.stdout)["servers"] == ["old-011"]
        assert NamesQuery().ask(store) == ["old-01", "web-01"]
        assert store.ask(lambda c: c.execute(sa.select(RUNS.c.pruned)).scalars().all())
