"""Worker processes over a lab: rows, records, deaths.  Waits are for events, never for a time."""

import asyncio
import json
import signal
from datetime import timedelta
from functools import partial
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import sqlalchemy as sa
from cli_process import FORKED
from dbos import EnqueueOptions
from engine_lab import VOLACT_WORKER, EngineLab
from engine_lab import engine_lab as engine_lab_of
from forked_worker import FORKED_WORKER, HELD_WORKER, PATIENT_WORKER
from postgres_server import PostgresServer
from service_schedules import decide

from volact.client.wire import RunSpec
from volact.core.context import Policy
from volact.service.app import utc_now
from volact.service.engine.lease import ENGINE, LEASE_LOST, Lease, take_away
from volact.service.engine.live_run import histories_of
from volact.service.engine.old_workflows import tidy_workflows
from volact.service.engine.progress import begin
from volact.service.engine.worker import RUN_PLACES
from volact.service.inventories import read_whole, stored_text
from volact.service.policies import RetentionPolicy

pytestmark = FORKED
engine_lab = partial(engine_lab_of, program=FORKED_WORKER)
# What the database itself sees of slots and turns.
WITNESS = (
    "CREATE TABLE taken (worker text, busy int)",
    """CREATE TRIGGER taking AFTER INSERT ON service_slots BEGIN INSERT INTO taken
    SELECT NEW.worker, count(*) FROM service_slots WHERE host = NEW.host; END""",
    "CREATE TABLE turns (turn int)",
    """CREATE TRIGGER turning AFTER UPDATE OF pace_slot ON service_runs BEGIN INSERT INTO turns
    VALUES (NEW.pace_slot); END""",
)


def labelled(text: str, *labels: str) -> str:
    """An inventory whose servers are reached by workers with these labels in turn."""
    head, *servers = text.split("[[server]]\n")
    found = (
        f'worker = "{label}"\n{one}' if label else one
        for label, one in zip(cycle(labels), servers, strict=False)
    )
    return "[[server]]\n".join((head, *found))


def every_other_far(text: str) -> str:
    """An inventory whose every other server is reached by workers with the label alone."""
    return labelled(text, "", "far")


def far_names(made: EngineLab) -> set[str]:
    inventory = read_whole(*made.store.ask(lambda connection: stored_text(connection, "lab")))
    return {server.name for server in inventory.servers if server.worker}


def check_records(made: EngineLab, run: str, servers: int) -> None:
    """Every server has a healthy row and is licensed; what was changed has its record."""
    rows = [stored.report for stored in made.store.rows(run)]
    assert len(rows) == servers
    assert {row.name: row.verdict for row in rows if row.verdict != "healthy"} == {}, made.said()
    assert all(made.lab.ask("licensed").values())
    changed = {row.name for row in rows if any(result.get("changed") for result in row.results)}
    assert changed <= {intent.server for intent in made.store.intents(run)}


async def test_a_worker_activates_a_fleet_and_its_rows_are_in_the_store(tmp_path: Path) -> None:
    with engine_lab(tmp_path, 6, program=VOLACT_WORKER) as made:
        worker = made.start_worker("--log", "json")
        info = await made.submit(RunSpec(verb="activate", inventory="lab", canary="2"))
        done = await made.ended(info.id)
        assert (done.state, done.done, done.counts) == ("done", 6, {"healthy": 6}), made.said()
        check_records(made, info.id, 6)
        (stored,) = made.store.runs()
        assert (stored.id, stored.finished, stored.summary.healthy) == (info.id, True, 6)
        assert stored.summary.changed == len(histories := made.store.ask(
            lambda connection: histories_of(connection, info.id)
        )), histories  # fmt: skip
        worker.terminate()
        assert worker.wait() == 0
        lines = [json.loads(line) for line in made.said().splitlines() if line.startswith("{")]
        assert [(line["run"], line["message"]) for line in lines if "run" in line] == [
            (info.id, "the run begins"),
            (info.id, "the run is done, 6 of 6 servers done"),
        ]


async def test_what_a_killed_worker_had_goes_on_with_another(
    tmp_path: Path, service_url: str
) -> None:
    with engine_lab(tmp_path, 6, service_url) as made:
        made.set_inventory(every_other_far)
        near = made.start_worker()
        spec = RunSpec(verb="activate", inventory="lab", concurrency=2)
        info = await made.submit(spec)
        # In the middle: far servers wait for a worker that reaches them.
        await made.until(info.id, lambda at: at.done > 0)
        near.kill()
        near.wait()
        before = {stored.report.name: stored.at for stored in made.store.rows(info.id)}
        assert not before.keys() & far_names(made)
        made.start_worker("--label", "far")
        done = await made.ended(info.id)
        assert (done.state, done.counts) == ("done", {"healthy": 6}), made.said()
        check_records(made, info.id, 6)
        after = {stored.report.name: stored.at for stored in made.store.rows(info.id)}
        assert {name: after[name] for name in before} == before


async def test_a_worker_that_was_stopped_and_is_woken_ends(
    tmp_path: Path, postgresql: PostgresServer
) -> None:
    with engine_lab(tmp_path, 6, postgresql.new_database()) as made:
        made.set_inventory(every_other_far)
        stopped = made.start_worker()
        info = await made.submit(RunSpec(verb="activate", inventory="lab", concurrency=2))
        await made.until(info.id, lambda _: [*made.store.intents(info.id)] != [])
        stopped.send_signal(signal.SIGSTOP)
        made.start_worker("--label", "far")
        done = await made.ended(info.id)
        assert (done.state, done.counts) == ("done", {"healthy": 6}), made.said()
        sent = [*made.store.intents(info.id)]
        stopped.send_signal(signal.SIGCONT)
        assert await asyncio.to_thread(stopped.wait) == LEASE_LOST
        assert [*made.store.intents(info.id)] == sent
        check_records(made, info.id, 6)


async def test_a_worker_goes_on_after_a_failover(
    tmp_path: Path, postgresql: PostgresServer
) -> None:
    """Sessions that began on a read-only server stay read-only: those of DBOS, too."""
    url = postgresql.new_database()
    name = urlsplit(url).path[1:]
    # A worker's sessions and those of DBOS have names.
    sessions = f"FROM pg_stat_activity WHERE datname = '{name}' AND application_name <> ''"
    with (
        engine_lab(tmp_path, 2, url) as made,
        psycopg.connect(postgresql.url("postgres"), autocommit=True) as other,
    ):
        made.start_worker()
        first = await made.submit(RunSpec(verb="check", inventory="lab"))
        await made.ended(first.id)
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        other.execute(f"SELECT pg_terminate_backend(pid, 60000) {sessions}".encode())
        again = f"SELECT count(*) {sessions} AND application_name LIKE 'dbos%'".encode()
        while other.execute(again).fetchone() == (0,):
            await asyncio.sleep(0.05)
        other.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
        info = await made.submit(RunSpec(verb="check", inventory="lab"))
        done = await made.ended(info.id)
        assert (done.state, done.done) == ("done", 2), made.said()


async def test_a_worker_that_loses_its_lease_while_it_begins_ends(tmp_path: Path) -> None:
    with engine_lab(tmp_path, 1) as made:
        with made.store.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER dead AFTER INSERT ON service_workers BEGIN "
                "DELETE FROM service_workers WHERE id = NEW.id; END"
            )
        worker = made.start_worker()
        assert await asyncio.to_thread(worker.wait) == LEASE_LOST, made.said()
        assert "Traceback" not in made.said()


async def test_a_run_whose_workflow_is_not_there_is_begun_again(tmp_path: Path) -> None:
    with engine_lab(tmp_path, 2) as made:
        info = await made.submit(RunSpec(verb="check", inventory="lab"))
        at = "2026-01-01T00:00:00.000Z"
        # As in a store that was restored without the file of DBOS beside it.
        assert made.store.change(lambda connection: begin(connection, info.id, 1, at))
        made.start_worker()
        done = await made.ended(info.id)
        assert (done.state, done.done) == ("done", 2), made.said()


async def test_a_run_that_a_worker_of_an_older_engine_left_goes_on_with_a_newer_one(
    tmp_path: Path, service_url: str
) -> None:
    with engine_lab(tmp_path, 4, service_url) as made:
        made.program = HELD_WORKER
        older = made.start_worker("--engine", str(ENGINE - 1))
        info = await made.submit(RunSpec(verb="activate", inventory="lab", concurrency=1))
        await made.until(info.id, lambda _: [*made.store.intents(info.id)] != [])
        (sent,) = made.store.intents(info.id)  # one at a time, and this one has no answer
        while not made.lab.ask("licensed")[sent.server]:
            await asyncio.sleep(0.1)
        (old,) = made.alive()
        made.program = PATIENT_WORKER
        made.start_worker()
        while len(made.alive()) < 2:
            await asyncio.sleep(0.1)
        other = await made.ended((await made.submit(RunSpec(verb="check", inventory="lab"))).id)
        assert (other.state, other.done) == ("done", 4), made.said()  # by the newer
        with made.engine() as engine:
            (at,) = engine.list_workflows(workflow_ids=[f"{info.id}.1"])
            assert (at.status, at.app_version) == ("PENDING", f"volact-{ENGINE - 1}")
        assert [*made.store.intents(info.id)] == [sent]  # the older lives: the run is its own
        older.kill()
        older.wait()
        made.store.change(lambda connection: take_away(connection, old))
        done = await made.ended(info.id)
        assert (done.state, done.counts) == ("done", {"healthy": 4}), made.said()
        check_records(made, info.id, 4)
        again = [one for one in made.store.intents(info.id) if one.server == sent.server]
        assert again == [sent]  # what the steps did was found anew
        with made.engine() as engine:
            while engine.list_workflows(status=["PENDING", "ENQUEUED"]):
                await asyncio.sleep(0.1)


async def test_a_paused_run_begins_no_server_until_it_is_resumed(tmp_path: Path) -> None:
    with engine_lab(tmp_path, 8, program=PATIENT_WORKER) as made:
        made.set_inventory(every_other_far)
        made.start_worker()
        info = await made.submit(RunSpec(verb="check", inventory="lab"))
        await made.until(info.id, lambda at: at.done == 4)
        await made.control.pause(info.id)
        made.start_worker("--label", "far")
        other = await made.submit(RunSpec(verb="check", inventory="lab"))
        assert (await made.ended(other.id)).done == 8, made.said()  # the far worker is at work
        assert made.info(info.id).done == 4
        await made.control.resume(info.id)
        done = await made.ended(info.id)
        assert (done.state, done.counts["healthy"] + done.counts["attention"]) == ("done", 8)


async def test_a_cancelled_run_names_the_servers_that_were_not_begun(tmp_path: Path) -> None:
    with engine_lab(tmp_path, 4) as made:
        made.set_inventory(every_other_far)
        made.start_worker()
        info = await made.submit(RunSpec(verb="check", inventory="lab"))
        said = await made.until(info.id, lambda at: at.done == 2 and at.note != "")
        assert said.note == "no worker has the label far"
        await made.control.cancel(info.id)
        ended = await made.ended(info.id)
        assert (ended.state, ended.note) == ("cancelled", "")
        rows = {stored.report.name: stored.report.verdict for stored in made.store.rows(info.id)}
        assert {name for name in rows if rows[name] == "not-started"} == far_names(made)


async def test_runs_that_wait_for_a_label_keep_no_other_run_from_beginning(tmp_path: Path) -> None:
    with engine_lab(tmp_path, 2, program=PATIENT_WORKER) as made:
        made.set_inventory(every_other_far)
        made.start_worker()
        (far,) = far_names(made)
        spec = RunSpec(verb="check", inventory="lab", limit=(far,))
        waiting = [await made.submit(spec) for _ in range(RUN_PLACES)]
        for info in waiting:
            said = await made.until(info.id, lambda at: at.note != "")
            assert (said.state, said.note) == ("running", "no worker has the label far")
        both = await made.submit(RunSpec(verb="check", inventory="lab"))
        assert (await made.until(both.id, lambda at: at.done > 0)).done == 1
        made.start_worker("--label", "far")
        for info in (*waiting, both):
            done = await made.ended(info.id)
            assert (done.state, done.done) == ("done", done.servers), made.said()


async def test_a_run_holds_no_place_once_the_last_worker_that_reaches_it_is_gone(
    tmp_path: Path, service_url: str
) -> None:
    with engine_lab(tmp_path, 1, service_url) as made:
        made.set_inventory(lambda text: labelled(text, "far"))
        silent = Lease(("far",))  # takes no work, and is taken for dead
        made.store.change(silent.register)
        made.start_worker()
        info = await made.submit(RunSpec(verb="check", inventory="lab"))
        await made.until(info.id, lambda at: at.note != "")
        with made.engine() as engine:
            while engine.list_workflows(status=["PENDING", "ENQUEUED"]):
                await asyncio.sleep(0.1)
        made.start_worker("--label", "far")
        done = await made.ended(info.id)
        assert (done.state, done.done) == ("done", 1), made.said()


async def test_what_dbos_has_of_runs_that_are_over_is_kept_as_long_as_the_policy_says(
    tmp_path: Path, service_url: str
) -> None:
    with engine_lab(tmp_path, 2, service_url) as made:
        made.set_inventory(every_other_far)
        worker = made.start_worker()
        (far,) = far_names(made)
        waits = await made.submit(RunSpec(verb="check", inventory="lab"))
        await made.until(waits.id, lambda at: at.note != "" and at.done == 1)
        cancelled = await made.submit(RunSpec(verb="check", inventory="lab", limit=(far,)))
        await made.until(cancelled.id, lambda at: at.note != "")
        await made.control.cancel(cancelled.id)
        await made.ended(cancelled.id)
        with made.engine() as engine:
            while engine.list_workflows(status=["PENDING", "ENQUEUED"]):
                await asyncio.sleep(0.1)
            worker.terminate()
            worker.wait()
            unfinished: EnqueueOptions = {
                "workflow_name": "volact.run", "queue_name": "none", "workflow_id": "cc.1",
            }  # fmt: skip
            engine.enqueue(unfinished, "cc", 1)
            before = {one.workflow_id: one.status for one in engine.list_workflows()}
            assert {id_.partition(".")[0] for id_ in before} == {waits.id, cancelled.id, "cc"}
            decide(made.store, RetentionPolicy(runs="7d"))
            at = utc_now()
            days = [tidy_workflows(engine, made.store, at + n * timedelta(days=1)) for n in (0, 6)]
            assert days == [False, True]  # the first day is that of the task
            assert {one.workflow_id for one in engine.list_workflows()} == {*before}
            assert tidy_workflows(engine, made.store, at + timedelta(days=8))
            left = {one.workflow_id: one.status for one in engine.list_workflows()}
            gone = {id_ for id_ in before if id_.startswith(cancelled.id)}
            assert left == {id_: status for id_, status in before.items() if id_ not in gone}
            assert gone
            assert [engine.list_workflow_steps(id_) for id_ in gone] == [[]] * len(gone)
        made.start_worker("--label", "far")
        done = await made.ended(waits.id)
        assert (done.state, done.done) == ("done", 2), made.said()


async def test_an_undo_puts_back_what_a_run_changed(tmp_path: Path) -> None:
    with engine_lab(tmp_path, 8, scenario="hard") as made:
        made.start_worker()
        before = made.lab.ask("pictures")
        info = await made.ended((await made.submit(RunSpec(verb="activate", inventory="lab"))).id)
        after = made.lab.ask("pictures")
        changed = {name for name in before if before[name] != after[name]}
        assert changed, made.said()
        policy = Policy(consent=frozenset({"restore-debugger"}))
        undo = RunSpec(verb="undo", inventory="lab", undo=info.id, policy=policy)
        undone = await made.ended((await made.submit(undo)).id)
        assert undone.state == "done", made.said()
        assert made.lab.ask("pictures") == before
        words = {stored.report.name: stored.report.undo for stored in made.store.rows(undone.id)}
        assert {name for name, of in words.items() if of and of.word == "undone"} == changed
        assert words.keys() == {intent.server for intent in made.store.intents(info.id)}


async def test_workers_share_the_turns_of_a_pace_and_the_slots_of_a_kms_host(
    tmp_path: Path,
) -> None:
    with engine_lab(tmp_path, 8, program=PATIENT_WORKER) as made:
        with made.store.engine.begin() as connection:
            for statement in WITNESS:
                connection.exec_driver_sql(statement)
        made.set_inventory(lambda text: labelled(text, "near", "far"))
        for label in ("near", "far"):
            made.start_worker("--label", label)
        spec = RunSpec(verb="activate", inventory="lab", pace="10/s", kms_concurrency=1)
        done = await made.ended((await made.submit(spec)).id)
        assert (done.state, done.counts) == ("done", {"healthy": 8}), made.said()
        check_records(made, done.id, 8)
        taken = made.store.ask(lambda c: c.execute(sa.text("SELECT * FROM taken")).all())
        assert {row.busy for row in taken} == {1}  # at the host, with the one that was taken
        assert len({row.worker for row in taken}) == 2
        rows = made.store.ask(lambda c: c.execute(sa.text("SELECT turn FROM turns")).all())
        turns = [row.turn for row in rows]
        assert turns == sorted({*turns})  # none was taken by two
        assert len(turns) >= 8
