"""Lists by pages and by filters, alike in both databases, from columns alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from store_samples import (
    WRONG_HOST,
    end,
    intent,
    keep,
    licensed,
    row,
    silent,
    store_writer,
    two_runs,
)

from volact.model.finding import Accepted, Finding
from volact.queries.expiring import ExpiringQuery
from volact.queries.filters import ServerFilter
from volact.queries.history import HistoryQuery
from volact.queries.pages import Page, PageRequest
from volact.queries.runs import RunReportQuery, RunsQuery, StepsQuery
from volact.queries.servers import RunServersQuery, ServersQuery
from volact.queries.status import StatusQuery
from volact.queries.values import LookRow
from volact.store import open_store
from volact.store.store import Store
from volact.store.tables import ROWS
from volact.store.values import RunStart

pytestmark = pytest.mark.xdist_group("queries")  # the stores that are only read are filled once
NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Two runs: what each server was, and what it is."""
    with two_runs(store_url) as opened:
        yield opened


def names(store: Store, **given: Any) -> list[str]:
    query = ServersQuery(now=NOW, filter=ServerFilter(**given))
    found = [server.name for server in query.stream(store)]
    assert query.count(store) == len(found)
    return found


def pages(of: Any, store: Store, limit: int) -> list[Page[Any]]:
    made = [of.page(store, PageRequest(limit=limit))]
    while made[-1].next:
        made.append(of.page(store, PageRequest(limit=limit, cursor=made[-1].next)))
    return made


@pytest.mark.parametrize("limit", [1, 2, 4, 6, 100])
def test_pages_have_every_server_once(filled: Store, limit: int) -> None:
    for order in ("name", "seen", "ends"):
        query = ServersQuery(now=NOW, order=order)
        whole = [*query.stream(filled)]
        found = pages(query, filled, limit)
        assert [server for page in found for server in page.items] == whole
        assert all(len(page.items) == limit for page in found[:-1])
    assert [page.items for page in pages(RunsQuery(), filled, 1)] == [
        (run,) for run in filled.runs()
    ]


def test_a_page_is_wrong_only_by_what_was_asked(filled: Store) -> None:
    query = ServersQuery(now=NOW)
    other = ServersQuery(now=NOW, order="seen").page(filled, PageRequest(limit=1)).next
    for wrong in (
        PageRequest(limit=0),
        PageRequest(limit=1001),
        PageRequest(cursor="?"),
        PageRequest(cursor="e30"),
        PageRequest(cursor=other),
    ):
        with pytest.raises(ValueError, match=r"limit|cursor"):
            query.page(filled, wrong)


def test_a_server_added_between_pages_is_neither_skipped_nor_doubled(
    store: Store, store_url: str
) -> None:
    query = ServersQuery(now=NOW)
    first = query.page(store, PageRequest(limit=3))
    keep(store_url, "cc33", row("aaa"), row("zzz"))
    second = query.page(store, PageRequest(limit=10, cursor=first.next))
    assert [server.name for server in second.items] == ["web-02", "web-03", "x[1]", "zzz"]


def test_a_list_is_one_statement_and_reads_no_report(store: Store) -> None:
    said: list[str] = []
    sa.event.listen(
        store.engine, "before_cursor_execute", lambda *given: said.append(str(given[2]))
    )
    everything = ServerFilter(
        names=("w*",), tags=("web",), findings=("kms-host-wrong",), provider="tencent"
    )
    ServersQuery(now=NOW, filter=everything).page(store, PageRequest())
    assert len([statement for statement in said if statement != "BEGIN"]) == 1
    StatusQuery(now=NOW).ask(store)
    RunServersQuery(run="bb22").page(store, PageRequest())
    assert not any("report" in statement for statement in said)


def test_the_rows_of_a_run(filled: Store) -> None:
    run = RunServersQuery(run="aa11", filter=ServerFilter(findings=("kms-host-wrong",)))
    (found,) = run.page(filled, PageRequest()).items
    assert (found.name, found.verdict, found.edition) == ("web-01", "attention", "ServerDatacenter")
    assert found.findings == ("error:kms-host-wrong",)
    tagged = RunServersQuery(run="aa11", filter=ServerFilter(tags=("prod",)))
    assert [each.name for each in tagged.page(filled, PageRequest()).items] == ["web-01"]
    assert sum(len(page.items) for page in pages(RunServersQuery(run="bb22"), filled, 2)) == 6


def test_a_licence_near_a_bound_is_on_the_same_side_of_it_in_every_question(
    store: Store, store_url: str
) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    week, minute = timedelta(days=7), timedelta(minutes=1)
    for name, left in (("under", week - minute), ("at", week), ("over", week + minute)):
        keep(store_url, name, licensed(name, (now + left).isoformat()))
    bounds = ServerFilter(ends_from=now, ends_before=now + week)
    listed = [one.name for one in ServersQuery(now=now, filter=bounds).stream(store)]
    ending = ExpiringQuery(now=now, within=week).ask(store).servers
    bars = StatusQuery(now=now).ask(store).endings
    assert listed == [one.name for one in ending if one.state == "ends"] == ["under"]
    assert [bar.servers for bar in bars if bar.below_days in {7, 30}] == [1, 2]


def test_what_was_found_is_counted(filled: Store) -> None:
    found = ServersQuery(now=NOW).findings(filled)
    assert [(each.finding, each.severity, each.servers) for each in found] == [
        ("kms-host-wrong", "error", 2),
        ("renewal-overdue", "warning", 1),
    ]


def test_the_history_by_pages_says_what_the_whole_says(store: Store, store_url: str) -> None:
    keep(store_url, "cc33", silent("web-01"))
    keep(store_url, "dd44", row("web-01"))
    query = HistoryQuery(server="web-01")
    whole = query.ask(store)
    assert whole.server is not None
    assert [look.run for look in whole.looks] == ["dd44", "cc33", "bb22", "aa11"]
    assert whole.looks[0].went == ("kms-host-wrong",)
    found: list[LookRow] = []
    cursor = ""
    while True:
        page = query.ask(store, PageRequest(limit=1, cursor=cursor))
        found += page.looks
        cursor = page.next
        if not cursor:
            break
    assert tuple(found) == whole.looks
    assert query.ask(store, PageRequest(limit=2)).looks == whole.looks[:2]


def test_runs_of_some_verbs(store: Store, store_url: str) -> None:
    keep(store_url, "cc33", row("web-01"), command="undo")
    page = RunsQuery(commands=("undo", "activate")).page(store, PageRequest())
    assert [run.id for run in page.items] == ["cc33", "bb22"]
    closing = RunReportQuery(run="bb22").ask(store)
    assert closing is not None
    assert closing.summary.servers == 6
    assert RunReportQuery(run="zz").ask(store) is None


async def test_the_steps_of_a_run(store: Store, store_url: str) -> None:
    writer = store_writer(store_url, "cc33")
    await writer.sending(intent("web-01"))
    await writer.sending(intent("web-02"))
    result = {"do": "set-kms-host", "ok": True, "changed": True, "hresult": 0, "after": {"h": 1}}
    writer.row(row("web-01", results=(result,)))
    writer.finish(end("cc33"))
    query = StepsQuery(run="cc33")
    found = [step for page in pages(query, store, 3) for step in page.items]
    assert [(step.server, step.step, step.ok) for step in found] == [
        ("web-01", "set-kms-host", True),
        ("web-01", "activate", None),
        ("web-02", "set-kms-host", None),
        ("web-02", "activate", None),
    ]
    assert found[0].after == {"h": 1}
    assert found[0].before == {"host": "kms.corp.example:1688"}


def test_tags_stay_where_a_run_knows_of_none(store: Store, store_url: str) -> None:
    keep(store_url, "cc33", row("web-01"))
    assert names(store, tags=("prod",)) == ["web-01"]
    writer = store_writer(store_url, "dd44", tags={"web-01": ("old",)})
    writer.row(row("web-01"))
    writer.finish(end("dd44"))
    (server,) = ServersQuery(now=NOW, filter=ServerFilter(names=("web-01",))).stream(store)
    assert server.tags == ("old",)


def test_answers_of_one_snapshot_agree(store: Store, store_url: str) -> None:
    query = StatusQuery(now=NOW)
    with store.snapshot() as moment:
        before = query.ask(moment)
        keep(store_url, "cc33", row("new"))
        assert len([*query.rows(moment)]) == before.summary.servers == 6
    assert query.ask(store).summary.servers == 7


def test_an_older_row_that_comes_late_changes_no_newer_state(store: Store) -> None:
    from volact.store.events import ServerDone
    from volact.store.statements import EventBatch, write

    run_start = RunStart(id="old", command="check", started="2020-01-01T00:00:00Z", volact="0.1.0")
    late = [ServerDone("2020-01-01T00:00:00.000Z", row("web-02", "failed", findings=(WRONG_HOST,)))]
    with store.engine.begin() as connection:
        batch = EventBatch(run_start, "2020-01-01T00:00:00.000Z", [*late])
        write(connection, batch, first=True, now="2027-01-01T00:00:00.000Z")
        assert (
            connection.execute(
                sa.select(sa.func.count()).select_from(ROWS).where(ROWS.c.run == "old")
            ).scalar_one()
            == 1
        )
    (server,) = ServersQuery(now=NOW, filter=ServerFilter(names=("web-02",))).stream(store)
    assert (server.verdict, server.last_run, server.examined_run) == ("healthy", "bb22", "bb22")


ACCEPTED = Finding(
    id="licensed-by-own-key",
    severity="accepted",
    summary="Licensed with a MAK",
    accepted=Accepted(severity="info", reason="our own", until=date(2027, 1, 31)),
)


@pytest.mark.parametrize(
    ("now", "verdict", "cause"),
    [
        (datetime(2027, 1, 31, 23, 59, tzinfo=UTC), "healthy", ""),
        (datetime(2027, 2, 1, 0, 0, 1, tzinfo=UTC), "attention", "licensed-by-own-key"),
    ],
)
def test_an_accepted_finding_counts_again_when_its_last_day_is_over(
    store_url: str, now: datetime, verdict: Any, cause: str
) -> None:
    keep(store_url, "aa11", row("mak-01", findings=(ACCEPTED,)), row("web-01"))
    with open_store(store_url, create=True) as store:
        summary = StatusQuery(now=now).ask(store).summary
        assert (summary.healthy, summary.attention) == ((2, 0) if verdict == "healthy" else (1, 1))
        found = {one.name: one for one in StatusQuery(now=now).rows(store)}
        assert (found["mak-01"].verdict, found["mak-01"].cause) == (verdict, cause)
        assert found["web-01"].verdict == "healthy"
        query = ServersQuery(now=now, filter=ServerFilter(verdicts=(verdict,)))
        assert "mak-01" in [one.name for one in query.stream(store)]
        accepted = StatusQuery(now=now).ask(store).accepted
        assert [(one.finding, one.servers) for one in accepted] == (
            [("licensed-by-own-key", 1)] if verdict == "healthy" else []
        )
        every = ServersQuery(now=now).findings(store)
        assert [(one.finding, one.severity, one.servers) for one in every] == [
            ("licensed-by-own-key", "accepted", 1)
        ]
