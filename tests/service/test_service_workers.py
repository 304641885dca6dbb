"""Worker processes over a lab: rows, records, deaths.  Waits are for events, never for a time."""

import asyncio
import json
import signal
from pathlib import Path

from engine_lab import EngineLab, engine_lab
from postgres_server import PostgresServer

from volact.client.wire import RunSpec
from volact.service.engine.lease import LEASE_LOST
from volact.service.engine.live_run import histories_of
from volact.service.inventories import load_inventory_text


def every_other_far(text: str) -> str:
    """An inventory whose every other server is reached by workers with the label alone."""
    head, *servers = text.split("[[server]]\n")
    far = [f'worker = "far"\n{one}' if at % 2 else one for at, one in enumerate(servers)]
    return "[[server]]\n".join((head, *far))


def far_names(made: EngineLab) -> set[str]:
    inventory = made.store.ask(lambda connection: load_inventory_text(connection, "lab"))
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
    with engine_lab(tmp_path, 6) as made:
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
    tmp_path: Path, store_url: str
) -> None:
    with engine_lab(tmp_path, 6, store_url) as made:
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


async def test_a_paused_run_begins_no_server_until_it_is_resumed(tmp_path: Path) -> None:
    with engine_lab(tmp_path, 8) as made:
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
        await made.until(info.id, lambda at: at.done == 2)
        await made.control.cancel(info.id)
        assert (await made.ended(info.id)).state == "cancelled"
        rows = {stored.report.name: stored.report.verdict for stored in made.store.rows(info.id)}
        assert {name for name in rows if rows[name] == "not-started"} == far_names(made)
