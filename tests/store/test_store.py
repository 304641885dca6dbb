"""What is kept can be asked for, alike in both databases."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import sqlalchemy as sa
from store_samples import FACTS, WRONG_HOST, end, intent, keep, row, silent, store_writer

from volact.errors import InputError
from volact.model.report import ServerReport, StopRow, Verdict
from volact.queries.history import HistoryQuery
from volact.queries.servers import NamesQuery
from volact.store import open_store
from volact.store.clock import moment
from volact.store.events import ServerDone
from volact.store.statements import EventBatch, write
from volact.store.store import Store
from volact.store.tables import RUNS
from volact.store.values import RunStart, StoredRow


def opened(url: str) -> Store:
    return open_store(url, create=True)


def rows_of_all_runs(store: Store) -> list[StoredRow]:
    return [row for run in store.runs() for row in store.rows(run.id)]


async def test_a_run_is_kept_whole(store_url: str) -> None:
    writer = store_writer(store_url, "aa11")
    writer.seen("web-01", "first", FACTS)
    await writer.sending(intent("web-01"))
    writer.seen("web-01", "closing", {"os": {"build": 1}})
    results = (
        {"do": "set-kms-host", "ok": True, "changed": True, "before": {"host": "x"}, "after": {}},
        {"do": "activate", "ok": False, "changed": False, "hresult": 0xC004F074, "after": {"s": 5}},
    )
    report = row("web-01", "failed", findings=(WRONG_HOST,), results=results)
    writer.row(report)
    await writer.room()
    kept = writer.finish(end("aa11", notes=("a note",), servers=1, failed=1, changed=1))
    assert (kept.stored, kept.problem) == (True, "")
    with opened(store_url) as store:
        (run,) = store.runs()
        assert (run.id, run.command, run.finished, run.elapsed_s) == ("aa11", "activate", True, 1.5)
        assert (run.summary.failed, run.summary.changed, run.note) == (1, 1, "a note")
        assert run.words == "volact activate -i fleet.toml"
        (stored,) = store.rows("aa11")
        assert stored.report == report
        assert stored.run == "aa11"
        assert list(store.intents("aa11")) == [intent("web-01")]
        assert store.facts("aa11", "web-01", "first") == FACTS
        assert store.facts("aa11", "web-01") == {"os": {"build": 1}}
        assert store.facts("aa11", "web-02") is None
        assert [look["look"] for look in store.looks("aa11")] == ["first", "closing"]


def test_the_command_that_goes_on_with_a_run_is_the_end_of_its_note(store_url: str) -> None:
    """It is copied up to the end of its line."""
    stop = "the rollout stopped: it was interrupted; to continue: volact activate --resume aa11"
    report = end("aa11", notes=(stop, "4 servers skipped"))
    stopped = StopRow(why="interrupted", message="it was interrupted", not_begun=1, command="x")
    writer = store_writer(store_url, "aa11")
    writer.finish(msgspec.structs.replace(report, stopped=stopped))
    with opened(store_url) as store:
        (run,) = store.runs()
    assert run.note == f"4 servers skipped; {stop}"


async def test_steps_have_their_answer_and_those_without_none(store_url: str) -> None:
    import sqlalchemy as sa

    from volact.store.tables import STEPS

    writer = store_writer(store_url, "aa11")
    await writer.sending(intent("web-01"))
    await writer.sending(intent("web-02"))
    await writer.sending(intent("web-01", at="2026-11-24T11:16:00.000Z", steps=1))
    result = {"do": "set-kms-host", "ok": True, "changed": True, "hresult": 0, "after": {"h": 1}}
    writer.row(row("web-01", results=(result,)))
    writer.finish(end("aa11"))
    with opened(store_url) as store, store.engine.connect() as connection:
        query = sa.select(STEPS.c.server, STEPS.c.at, STEPS.c.position, STEPS.c.ok, STEPS.c.after)
        found = {tuple(line)[:3]: tuple(line)[3:] for line in connection.execute(query)}
    assert found.pop(("web-01", "2026-11-24T11:16:00.000Z", 0)) == (True, '{"h":1}')
    assert len(found) == 4
    assert set(found.values()) == {(None, None)}


async def test_steps_that_never_ran_are_taken_back(store_url: str) -> None:
    writer = store_writer(store_url, "aa11")
    again = intent("web-01", at="2026-11-24T11:16:00.000Z")
    await writer.sending(intent("web-01"))
    writer.withdrawn(intent("web-01"))
    await writer.sending(again)
    await writer.sending(intent("web-02"))
    writer.row(row("web-01"))
    writer.finish(end("aa11"))
    with opened(store_url) as store:
        assert list(store.intents("aa11")) == [again, intent("web-02")]


def test_the_latest_row_and_the_latest_that_says_something(store_url: str) -> None:
    keep(store_url, "aa11", row("web-01", "attention"), row("web-02"), silent("web-03"))
    keep(store_url, "bb22", silent("web-01"), row("web-02", "failed"))
    with opened(store_url) as store:
        found = {latest.newest.report.name: latest for latest in store.latest()}
        assert list(found) == NamesQuery().ask(store) == ["web-01", "web-02", "web-03"]
        first = found["web-01"]
        assert first.examined is not None
        assert (first.newest.run, first.examined.run) == ("bb22", "aa11")
        assert first.newest.report.verdict == "unreachable"
        assert first.examined.report.verdict == "attention"
        assert found["web-02"].examined is found["web-02"].newest
        assert found["web-03"].examined is None
        some = [latest.newest.report.name for latest in store.latest(["web-03", "web-01", "no"])]
        assert some == ["web-01", "web-03"]
        assert [look.run for look in HistoryQuery(server="web-01").ask(store).looks] == [
            "bb22",
            "aa11",
        ]
        assert HistoryQuery(server="no").ask(store).looks == ()


def test_a_turn_that_never_came_says_nothing_of_a_server(store_url: str) -> None:
    keep(store_url, "aa11", row("web-01"))
    keep(store_url, "bb22", silent("web-01", "not-begun"), silent("web-02", "not-begun"))
    with opened(store_url) as store:
        found = {latest.newest.report.name: latest for latest in store.latest()}
        assert found["web-01"].newest.run == "aa11"
        assert found["web-02"].newest.report.verdict == "not-started"
        assert len(list(store.rows("bb22"))) == 2


def test_a_row_that_was_taken_over_is_no_look_at_the_server(store_url: str) -> None:
    keep(store_url, "aa11", row("web-01"))
    keep(store_url, "bb22", row("web-01", executions=0, reason="verified by run aa11"))
    with opened(store_url) as store:
        (found,) = store.latest()
        assert found.examined is found.newest
        assert found.newest.run == "aa11"
        assert [past.report.name for past in store.rows("bb22")] == ["web-01"]


def test_runs_are_found_by_what_people_type(store_url: str) -> None:
    keep(store_url, "aa11", row("web-01"))
    keep(store_url, "ab22", row("web-01"), command="activate")
    keep(store_url, "cc33", row("web-01"))
    with opened(store_url) as store:
        assert [run.id for run in store.runs()] == ["cc33", "ab22", "aa11"]
        assert [run.id for run in store.runs(limit=1)] == ["cc33"]
        found = {word: store.find_run(word).id for word in ("last", "last~1", "aa11", "ab", "c")}
        assert found == {
            "last": "cc33",
            "last~1": "ab22",
            "aa11": "aa11",
            "ab": "ab22",
            "c": "cc33",
        }
        assert store.find_run("last", ("activate",)).id == "ab22"
        for wrong, said in {
            "a": "several runs begin with a (which one: ab22, aa11?)",
            "aa12": "there is no run aa12 (did you mean aa11, ab22? to list all: volact runs)",
            "%": "there is no run % (see: volact runs)",
            "C": "there is no run C (see: volact runs)",
            "last~9": "the store has no such run yet (see: volact runs)",
        }.items():
            with pytest.raises(InputError) as caught:
                store.find_run(wrong)
            assert caught.value.line() == said


def test_who_was_verified_between(store_url: str) -> None:
    keep(store_url, "aa11", row("web-01"), row("web-02", "failed"), row("web-03"))
    now = datetime.now(UTC)
    with opened(store_url) as store:
        hour = timedelta(hours=1)
        assert store.verified_between("aa11", now - hour, now) == {"web-01", "web-03"}
        assert store.verified_between("aa11", now + timedelta(seconds=1), now + hour) == set()
        assert store.verified_between("aa11", now - 2 * hour, now - hour) == set()
        assert store.verified_between("bb22", now - hour, now) == set()
    keep(store_url, "bb22", row("web-01", executions=0), row("web-03", "attention"))
    with opened(store_url) as store:
        assert store.verified_between("aa11", now - hour, now) == {"web-01"}
    keep(store_url, "cc33", silent("web-01"))
    with opened(store_url) as store:
        assert store.verified_between("aa11", now - hour, now) == set()


async def test_a_server_that_a_later_run_sent_steps_to_is_not_taken_as_verified(
    store_url: str,
) -> None:
    now, minute = datetime.now(UTC), timedelta(minutes=1)
    other = store_writer(store_url, "aa11", "undo")
    await other.sending(intent("web-01", moment(now - minute)))
    await other.sending(intent("web-02", moment(now + minute)))
    other.abandon()  # as one that was killed: no row of it says so
    keep(store_url, "bb22", row("web-01"), row("web-02"), row("web-03"), command="activate")
    with opened(store_url) as store:
        verified = store.verified_between("bb22", now - 60 * minute, now + minute)
    assert verified == {"web-01", "web-03"}


async def test_a_run_that_is_torn_off_stays_as_far_as_it_came(store_url: str) -> None:
    writer = store_writer(store_url, "aa11")
    await writer.sending(intent("web-01"))
    writer.row(row("web-02", results=({"do": "activate", "ok": True, "changed": True},)))
    writer.abandon()
    with opened(store_url) as store:
        (run,) = store.runs()
        assert (run.finished, run.elapsed_s) == (False, None)
        assert (run.summary.servers, run.summary.healthy, run.summary.changed) == (1, 1, 1)
        assert [sent.server for sent in store.intents("aa11")] == ["web-01"]


async def test_a_server_that_comes_twice_has_its_last_row(store_url: str) -> None:
    writer = store_writer(store_url, "aa11")
    writer.row(row("web-01", "failed", findings=(WRONG_HOST,)))
    await writer.sending(intent("web-02"))  # waits for a batch that has this row
    writer.row(row("web-01"))
    writer.finish(end("aa11"))
    with opened(store_url) as store:
        (stored,) = store.rows("aa11")
        assert stored.report.verdict == "healthy"
        assert stored.report.findings == ()


def test_a_stranger_s_words_are_kept(store_url: str) -> None:
    name = "nul\0 lone\ud800 ' \" % ; 数据" + "x" * 400
    report = row("web-01", findings=(WRONG_HOST,))
    odd = row(name, reason=name)
    kept = keep(store_url, "aa11", odd, report)
    assert kept.problem == ""
    with opened(store_url) as store:
        reasons = {stored.report.name: stored.report.reason for stored in store.rows("aa11")}
    assert len(reasons) == 2
    assert "nul\0 lone\ufffd ' \" % ; 数据" + "x" * 400 in reasons.values()


def test_old_runs_go_and_what_is_known_of_servers_stays(store_url: str) -> None:
    keep(store_url, "aa11", row("web-01"), row("web-02"))
    keep(store_url, "bb22", row("web-01"), row("web-03"))
    keep(store_url, "cc33", silent("web-03"), row("web-01"))
    with opened(store_url) as store:
        for run in ("aa11", "bb22"):
            with store.engine.begin() as connection:
                old = (
                    sa.update(RUNS).where(RUNS.c.id == run).values(begun="2026-01-01T00:00:00.000Z")
                )
                connection.execute(old)
        would = store.prune(timedelta(days=1), dry_run=True)
        assert len(rows_of_all_runs(store)) == 6
        assert store.prune(timedelta(days=1)) == would
        assert (would.rows, would.runs, would.thinned, would.kept_runs) == (2, 0, 2, 3)
        left = sorted((stored.run, stored.report.name) for stored in rows_of_all_runs(store))
        assert left == [
            ("aa11", "web-02"),
            ("bb22", "web-03"),
            ("cc33", "web-01"),
            ("cc33", "web-03"),
        ]
        assert [run.pruned for run in store.runs()] == [False, True, True]
        known = {latest.newest.report.name: latest.examined for latest in store.latest()}
        assert all(known.values())
        assert set(known) == {"web-01", "web-02", "web-03"}
    keep(store_url, "dd44", row("web-01"), row("web-02"), row("web-03"))
    with opened(store_url) as store:
        assert store.prune(timedelta(days=1), keep=4).rows == 0
        gone = store.prune(timedelta(days=1))
        assert (gone.rows, gone.runs, gone.kept_runs) == (2, 2, 2)
        assert [run.id for run in store.runs()] == ["dd44", "cc33"]


def begun_before(url: str, run: str, ago: timedelta) -> None:
    """Let a run have begun so long ago."""
    begun = moment(datetime.now(UTC) - ago)
    with opened(url) as store, store.engine.begin() as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.id == run).values(begun=begun))


async def test_a_run_that_goes_on_keeps_what_can_be_undone(store_url: str) -> None:
    writer = store_writer(store_url, "aa11")
    await writer.sending(intent("web-01"))
    begun_before(store_url, "aa11", timedelta(hours=3))
    with opened(store_url) as store:
        assert store.prune(timedelta(hours=1), dry_run=True).runs == 0
        assert store.prune(timedelta(hours=1)).runs == 0
        assert list(store.intents("aa11")) == [intent("web-01")]
    writer.abandon()  # killed, it can be undone as long
    with opened(store_url) as store:
        assert store.prune(timedelta(hours=1)).runs == 0
    begun_before(store_url, "aa11", timedelta(days=7, hours=2))
    with opened(store_url) as store:
        assert store.prune(timedelta(hours=1)).runs == 1


@pytest.mark.parametrize("verdict", ["healthy", "failed"])
def test_a_clock_that_was_ahead_does_not_keep_a_state(store_url: str, verdict: Verdict) -> None:
    def seen(run: str, at: str, report: ServerReport) -> None:
        start = RunStart(id=run, command="check", started=at, volact="0.1.0")
        batch = EventBatch(start, at, [ServerDone(at, report)])
        with store.engine.begin() as connection:
            write(connection, batch, first=True, now=at)

    with opened(store_url) as store:
        seen("ahead", "2031-01-01T00:00:00.000Z", row("web-01"))
        seen("right", "2026-11-24T11:15:14.000Z", row("web-01", verdict))
        (latest,) = store.latest()
        assert (latest.newest.run, latest.newest.report.verdict) == ("right", verdict)
        assert latest.examined is not None
        assert latest.examined.run == "right"
        # Clocks that differ by seconds are usual: there the later row is the newer one.
        seen("behind", "2026-11-24T11:15:04.000Z", silent("web-01"))
        (latest,) = store.latest()
        assert latest.newest.run == "right"


def test_runs_stand_in_the_order_in_which_they_began(store_url: str) -> None:
    first = store_writer(store_url, "aa11")
    time.sleep(0.002)  # moments are kept to the millisecond
    second = store_writer(store_url, "bb22")
    second.finish(end("bb22"))
    first.finish(end("aa11"))
    with opened(store_url) as store:
        assert [run.id for run in store.runs()] == ["bb22", "aa11"]
