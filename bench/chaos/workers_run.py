"""Workers and servers of the console killed (SIGKILL) while runs go on, PostgreSQL restarted.

    python bench/chaos/workers_run.py [--kills 60] [--servers 500] [--seed 1]

Three workers and a console share a database.  Runs over a lab follow one another until
enough processes were killed; each that ends is replaced.  Some workers are stopped
(SIGSTOP) until others have taken over, and then woken.  After each run the store is
compared with the servers.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "tests" / "store")]

import sqlalchemy as sa  # noqa: E402  (after the path)
from engine_lab import EngineLab, WorkerProcess, engine_lab  # noqa: E402
from postgres_server import PostgresServer, binaries  # noqa: E402

from volact.client.wire import RunInfo, RunSpec  # noqa: E402
from volact.service.database.tables import RUN_SERVERS, SLOTS  # noqa: E402

What = Literal["worker killed", "console killed", "worker stopped and woken", "database restarted"]
_WORKERS = 3
_LOST = 70  # how a worker ends that finds its lease gone
_WAKES_S = 30.0
_POLL_S = 0.05
_LONGEST_S = 900.0
# The database itself notes a claim that is taken from a worker that lives, and steps that
# are written without a claim.
_WITNESS = """
CREATE TABLE witness (what text, server text);
CREATE FUNCTION claimed() RETURNS trigger AS $$ BEGIN
  IF NEW.claimed_by <> '' AND OLD.claimed_by NOT IN ('', NEW.claimed_by)
     AND EXISTS (SELECT 1 FROM service_workers WHERE id = OLD.claimed_by) THEN
    INSERT INTO witness VALUES ('taken from a worker that lives', NEW.server);
  END IF; RETURN NEW; END $$ LANGUAGE plpgsql;
CREATE TRIGGER claimed BEFORE UPDATE ON service_run_servers
  FOR EACH ROW EXECUTE FUNCTION claimed();
CREATE FUNCTION intended() RETURNS trigger AS $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM service_run_servers JOIN service_workers ON id = claimed_by
                 WHERE run = NEW.run AND server = NEW.server) THEN
    INSERT INTO witness VALUES ('steps without a claim', NEW.server);
  END IF; RETURN NEW; END $$ LANGUAGE plpgsql;
CREATE TRIGGER intended BEFORE INSERT ON steps FOR EACH ROW EXECUTE FUNCTION intended();
"""
_HELD = """SELECT workflow_uuid FROM dbos.workflow_status
WHERE status = 'PENDING' AND executor_id = :worker"""
_STILL = """SELECT count(*) FILTER (WHERE executor_id = :worker AND status = 'PENDING'),
  count(*) FILTER (WHERE executor_id = :worker OR status = 'ENQUEUED')
FROM dbos.workflow_status WHERE workflow_uuid = ANY(:ids)"""


@dataclass
class Strike:
    """One thing that was done to the service."""

    what: What
    held: int = 0  # workflows that the process had
    given_back_s: float = 0.0  # until they were in the queue again
    goes_on_s: float = 0.0  # until other processes were at them
    exit_code: int | None = None


@dataclass
class Found:
    """What came of a campaign."""

    strikes: list[Strike] = field(default_factory=list)
    runs: list[RunInfo] = field(default_factory=list)
    changed: int = 0
    intents: int = 0
    again: int = 0  # servers with more than one intent
    named: list[str] = field(default_factory=list)  # servers that are not healthy, and why
    wrong: list[str] = field(default_factory=list)


class Campaign:
    """Runs, and what is done to the processes meanwhile."""

    def __init__(self, made: EngineLab, postgres: PostgresServer, seed: int) -> None:
        self.found = Found()
        self._made = made
        self._postgres = postgres
        self._rng = random.Random(seed)
        self._console = made.start_console()
        self._measuring: list[asyncio.Task[None]] = []
        for _ in range(_WORKERS):
            made.start_worker()

    async def go(self, plan: list[What], servers: int, tell: Callable[[str], None]) -> None:
        """Runs until everything planned was done."""
        left = [*plan]
        while left:
            self._made.lab.ask("renew")
            before = self._made.lab.ask("pictures")
            info = await self._made.submit(
                RunSpec(verb="activate", inventory="lab", canary="5:4", concurrency=12)
            )
            begun = time.monotonic()
            while self._asked(info).ended is None:
                await asyncio.sleep(self._rng.uniform(1.0, 8.0))
                if left and self._asked(info).done > 0:
                    tell(f"{time.monotonic() - begun:.0f} s: {left[0]}")
                    await self._strike(left.pop(0))
                if time.monotonic() - begun > _LONGEST_S:
                    self.found.wrong.append(f"run {info.id} is stuck")
                    return
            await asyncio.gather(*self._measuring)
            self._judge(self._asked(info), before, servers)
            tell(f"{time.monotonic() - begun:.0f} s: the run is {self.found.runs[-1].state}")

    def _asked(self, info: RunInfo) -> RunInfo:
        return self._made.info(info.id)

    async def _strike(self, what: What) -> None:
        strike = Strike(what)
        self.found.strikes.append(strike)
        if what == "database restarted":
            await asyncio.gather(*self._measuring)  # their time is not that of a database away
            # One that finds no database does not begin.
            while not self._made.console_listens():  # noqa: ASYNC110  (another process acts)
                await asyncio.sleep(_POLL_S)
            self._made.store.engine.dispose()
            self._postgres.restart()
        elif what == "console killed":
            if self._console.poll() is not None:
                said = self._made.console_said()
                self.found.wrong.append(f"the console had ended by itself: {said}")
            self._console.kill()
            strike.exit_code = self._console.wait()
            self._console = self._made.start_console()
        else:
            await self._strike_worker(strike)

    async def _strike_worker(self, strike: Strike) -> None:
        stops = strike.what == "worker stopped and woken"
        found = running = [one for one in self._made.workers if one.poll() is None]
        while stops:  # one that has not begun yet has no lease that it could lose
            if found := [one for one in running if self._worker_of(one)]:
                break
            await asyncio.sleep(_POLL_S)
        process = self._rng.choice(found)
        worker = self._worker_of(process)
        held = self._rows(_HELD, worker=worker)
        process.send_signal(signal.SIGSTOP if stops else signal.SIGKILL)
        since = time.monotonic()
        ids = [row[0] for row in held] if worker else []
        strike.held = len(ids)
        measuring = self._measure(strike, worker, ids, since)
        if stops:
            await measuring
            process.send_signal(signal.SIGCONT)
            try:
                strike.exit_code = process.wait(_WAKES_S)
            except subprocess.TimeoutExpired:
                self.found.wrong.append("a woken worker did not end")
            if strike.exit_code != _LOST:
                self.found.wrong.append(f"a woken worker ended with {strike.exit_code}")
        else:
            self._measuring.append(asyncio.create_task(measuring))
            strike.exit_code = process.wait()
        self._made.start_worker()

    async def _measure(self, strike: Strike, worker: str, ids: list[str], begun: float) -> None:
        """How long the workflows of a process wait for another."""
        while ids or worker in self._made.alive():
            mine, waiting = self._rows(_STILL, worker=worker, ids=ids)[0] if ids else (0, 0)
            strike.goes_on_s = time.monotonic() - begun
            strike.given_back_s = strike.goes_on_s if mine else strike.given_back_s
            if not waiting and worker not in self._made.alive():
                return
            await asyncio.sleep(_POLL_S)

    def _worker_of(self, process: WorkerProcess) -> str:
        """Its id; ``""`` where it has not begun."""
        found = [worker for worker in self._made.alive() if f"-{process.pid}-" in worker]
        return found[0] if found else ""

    def _rows(self, text: str, **values: Any) -> Any:
        return self._made.store.ask(
            lambda connection: connection.execute(sa.text(text), values).all()
        )

    def _judge(self, info: RunInfo, before: dict[str, Any], servers: int) -> None:
        """The store and the servers after a run."""
        found, made = self.found, self._made
        found.runs.append(info)
        made.lab.settled()
        now, licensed = made.lab.ask("pictures"), made.lab.ask("licensed")
        changed = {name for name in before if before[name] != now[name]}
        sent = [intent.server for intent in made.store.intents(info.id)]
        found.changed += len(changed)
        found.intents += len(sent)
        found.again += sum(sent.count(name) > 1 for name in set(sent))
        rows = {stored.report.name: stored.report for stored in made.store.rows(info.id)}
        if info.state != "done" or info.done != servers or len(rows) != servers:
            count = f"{info.done} done, {len(rows)} rows"
            found.wrong.append(f"run {info.id} is {info.state} with {count}: {info.note}")
        for name, row in rows.items():
            if row.verdict == "healthy" and not licensed[name]:
                found.wrong.append(f"{name} is called healthy and is not")
            elif row.verdict != "healthy":
                why = row.error.message if row.error else ", ".join(one.id for one in row.findings)
                found.named.append(f"{name} is {row.verdict}: {why}")
                found.wrong += [] if why else [f"{name} is {row.verdict}, and nothing says why"]
        found.wrong += [f"{name} was changed and nothing says so" for name in changed - {*sent}]
        found.wrong += [f"{row[1]}: {row[0]}" for row in self._rows("SELECT * FROM witness")]
        found.wrong += [f"a slot is left: {row}" for row in self._rows(f"SELECT * FROM {SLOTS}")]
        claims = f"SELECT * FROM {RUN_SERVERS} WHERE run = :run AND claimed_by <> ''"
        found.wrong += [f"a claim is left: {row}" for row in self._rows(claims, run=info.id)]


def plan_of(kills: int, seed: int) -> list[What]:
    """What is done, in an order of chance."""
    consoles, stops = kills // 6, max(1, kills // 20)
    plan: list[What] = ["worker killed"] * (kills - consoles)
    plan += ["console killed"] * consoles
    plan += ["worker stopped and woken"] * stops
    plan += ["database restarted"] * 2
    random.Random(seed).shuffle(plan)
    return plan


def run(kills: int, servers: int, seed: int, tell: Callable[[str], None]) -> Found:
    """The whole campaign; needs PostgreSQL's programs."""
    programs = binaries()
    if programs is None:
        raise SystemExit("needs the Debian package postgresql")
    postgres = PostgresServer(programs)
    postgres.make()
    postgres.start()
    try:
        with tempfile.TemporaryDirectory(prefix="volact-workers-") as folder:
            url = postgres.new_database()
            with engine_lab(Path(folder), servers, url) as made:
                with made.store.engine.begin() as connection:
                    connection.exec_driver_sql(_WITNESS)
                return asyncio.run(_campaign(made, postgres, plan_of(kills, seed), servers, tell))
    finally:
        postgres.stop()


async def _campaign(
    made: EngineLab,
    postgres: PostgresServer,
    plan: list[What],
    servers: int,
    tell: Callable[[str], None],
) -> Found:
    campaign = Campaign(made, postgres, len(plan))
    await campaign.go(plan, servers, tell)
    if campaign.found.wrong:
        campaign.found.wrong.append(made.said()[-3000:])
    return campaign.found


def table(found: Found) -> str:
    """What was done and what came of it, as Markdown."""
    lines = [
        "| what | times | with work under way | back in the queue, s (median, longest) "
        "| others at it, s (median, longest) |",
        "|---|---|---|---|---|",
    ]
    for what in dict.fromkeys(strike.what for strike in found.strikes):
        some = [strike for strike in found.strikes if strike.what == what]
        held = [strike for strike in some if strike.held]
        back, goes_on = [one.given_back_s for one in held], [one.goes_on_s for one in held]
        lines.append(
            f"| {what} | {len(some)} | {len(held)} | {_seconds(back)} | {_seconds(goes_on)} |"
        )
    took = sum((run.ended - run.requested).total_seconds() for run in found.runs if run.ended)
    return "\n".join(lines) + (
        f"\n\n{len(found.runs)} runs in {took:.0f} s; {found.changed} servers changed, all with a "
        f"record; {found.intents} intents, {found.again} servers with more than one; not healthy "
        f"and named: {len(found.named)}; wrong: {len(found.wrong)}."
    )


def _seconds(values: list[float]) -> str:
    return f"{statistics.median(values):.1f}, {max(values):.1f}" if values else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--servers", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    os.environ.pop("VOLACT_STORE", None)
    found = run(wanted.kills, wanted.servers, wanted.seed, lambda text: print(text, flush=True))
    for line in (*found.named, *(f"WRONG {line}" for line in found.wrong)):
        print(line)
    print(table(found))
    return int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main())
