"""Worker processes over a lab: rows, records, deaths.  Waits are for events, never for a time."""

from pathlib import Path

from service_engine_lab import EngineLab, engine_lab

from volact.client.wire import RunSpec
from volact.service.engine.live_run import histories_of


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
        worker = made.start_worker()
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
