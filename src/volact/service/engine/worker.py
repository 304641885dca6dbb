"""One worker process: DBOS, the ledger, the beat, and the runs that it works on."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig
from sqlalchemy import event

from volact.client.wire import RunInfo
from volact.service.database.schema import open_service_store
from volact.service.engine import progress
from volact.service.engine.canaries import draw
from volact.service.engine.finish import end_run, fail_run
from volact.service.engine.gate import BATCHES
from volact.service.engine.lease import (
    BEAT_S,
    ENGINE,
    IDLE_MS,
    LEASE_LOST,
    READINGS,
    Lease,
    LeaseLostError,
    beats,
    bound_sessions,
    take_away,
)
from volact.service.engine.ledger import Ledger, patiently
from volact.service.engine.live_run import LiveRun, OpenerOf, load_parts, opener_of
from volact.service.engine.old_workflows import tidy_workflows
from volact.service.engine.plan import rules_of
from volact.service.engine.progress import Standing
from volact.service.engine.reaper import Reaper, read_engine_state
from volact.service.engine.workflows import (
    RUN_QUEUE,
    NamedServer,
    app_version,
    queue_of,
    queues_of,
    set_work,
)
from volact.service.run_bounds import within_bounds
from volact.service.run_list import find_run
from volact.service.tracing import spans_of
from volact.store.address import StoreAddress
from volact.store.engine import leave_read_only, require_file, server_url

_LOG = logging.getLogger("volact.service")
RUN_PLACES = 50  # runs of which one worker executes the workflow
_RUN_QUEUE_S, _QUEUE_S = 1.0, 0.5
_PAUSE_S = 0.05
_CLOCK_S = 60
_TIDY_S = 600.0


class Worker:
    """Works on the runs of the service until ``stop``."""

    def __init__(
        self,
        address: StoreAddress,
        labels: Sequence[str] = (),
        opening: OpenerOf = opener_of,
        engine: int = ENGINE,
        readings: int = READINGS,
    ) -> None:
        self._opening = opening
        self._store = open_service_store(address)
        self._lease = Lease(labels, engine)
        if address.file is None:
            bound_sessions(self._store.engine, self._lease.worker)
        self._spans = spans_of()
        self._ledger = Ledger(self._store, self._lease, _die)
        self._reaper = Reaper(self._store, self._lease, readings)
        self._live: dict[tuple[str, int], LiveRun] = {}
        self._joining = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._over = threading.Event()
        self._dbos: DBOS | None = None
        self._tidied = time.monotonic()

    async def start(self) -> None:
        """Begin to take work; workflows are executed in the event loop that calls this."""
        await asyncio.to_thread(patiently, self._store, self._lease.register)
        await asyncio.to_thread(patiently, self._store, self._lease.renew)
        off = round(time.time() - self._lease.time())
        if abs(off) > _CLOCK_S:
            _LOG.warning("this machine's clock is %d s off the database's", off)
        # Before DBOS, which may take long to begin: others would take the lease away.
        self._in_thread("volact-beat", self._reaper.beat)
        set_work(self)
        event.listen(sa.Engine, "handle_error", leave_read_only)  # for the engine that DBOS makes
        queues = queues_of(("", *self._lease.labels))
        self._dbos = DBOS(config=_dbos_config(self._store.address, self._lease))
        DBOS.listen_queues([*queues])
        DBOS.launch()
        await DBOS.register_queue_async(
            RUN_QUEUE, worker_concurrency=RUN_PLACES, polling_interval_sec=_RUN_QUEUE_S
        )
        for queue in queues - {RUN_QUEUE}:
            await asyncio.to_thread(_register, queue)
        self._in_thread("volact-rest", self._tend)  # the lease is renewed however long it takes

    async def stop(self) -> None:
        """Take no more work, finish the servers under way, and give the lease back."""
        assert self._dbos is not None, "it was started"
        for end in self._dbos.background_thread_stop_events:
            end.set()  # queues are not read any more
        self._stopping = True
        for live in self._live.values():
            live.close()
        while self._live:  # noqa: ASYNC110  (batches end in any order, and in the end none is left)
            await asyncio.sleep(_PAUSE_S)
        await asyncio.to_thread(self._ledger.close)
        await asyncio.to_thread(self._spans.close)
        self._over.set()
        await asyncio.to_thread(patiently, self._store, lambda c: take_away(c, self._lease.worker))

    # What the workflows ask.

    def begin(self, run: str, attempt: int) -> bool:
        """Take the run out of the queue; whether this attempt works on it."""
        begun = self._ledger.put(lambda c: progress.begin(c, run, attempt, self._lease.now()))
        found = begun.result()
        _LOG.info("the run %s", "goes on" if attempt > 1 else "begins")
        return found

    def left(self, run: str, attempt: int) -> tuple[list[NamedServer], int, int]:
        """See ``RunWork``."""

        def read(connection: sa.Connection) -> tuple[list[NamedServer], int, int]:
            if progress.standing(connection, run) != Standing("running", attempt):
                return [], 0, 0
            reached = progress.reached(connection, self._lease.engine)
            info = find_run(connection, run)
            draw(connection, run, rules_of(info.spec).canaries(info.servers), reached)
            left = [one for one in progress.unfinished(connection, run) if one.label in reached]
            names = [(one.name, one.label) for one in left]
            return names, len(beats(connection)), within_bounds(info.spec).concurrency

        left, workers, concurrency = patiently(self._store, read)
        for queue in {queue_of(label) for _, label in left}:
            _register(queue)  # of a worker that has not done it yet
        return left, workers, concurrency

    def end(self, run: str, attempt: int) -> None:
        """Complete the run's state and its report, unless it waits for other workers."""

        def end(connection: sa.Connection) -> RunInfo:
            end_run(connection, run, attempt, self._lease.now())
            return find_run(connection, run)

        info = self._ledger.put(end).result()
        _LOG.info("the run is %s, %d of %d servers done", info.state, info.done, info.servers)
        if info.ended is not None:
            self._spans.run(info)

    def fail(self, run: str, attempt: int, why: str) -> None:
        """Record that volact itself failed."""
        self._ledger.put(lambda c: fail_run(c, run, attempt, self._lease.now(), why)).result()

    async def join(self, run: str, attempt: int) -> LiveRun:
        """The run in this process; ``leave`` has to follow."""
        async with self._joining:
            at = await self._ledger.ask(lambda c: progress.standing(c, run))
            live = self._live.get((run, attempt))
            if live is None:
                self._loop = asyncio.get_running_loop()
                parts = await asyncio.to_thread(
                    load_parts, self._store, run, attempt, self._opening
                )
                live = LiveRun(parts, self._ledger, self._lease, self._spans)
                self._live[run, attempt] = live
            live.batches += 1  # at last: nothing may fail between this and the leave
        if self._stopping or at != Standing("running", attempt):
            live.close()
        return live

    def leave(self, live: LiveRun) -> None:
        """A batch of it has ended."""
        live.batches -= 1
        if not live.batches:
            live.end()
            self._live = {key: one for key, one in self._live.items() if one is not live}

    # What goes on beside them.

    def _in_thread(self, name: str, work: Callable[[], None]) -> None:
        threading.Thread(target=self._repeat, args=(work,), name=name, daemon=True).start()

    def _repeat(self, work: Callable[[], None]) -> None:
        while not self._over.wait(BEAT_S):
            try:
                work()
            except LeaseLostError:
                if not self._over.is_set():  # else it was given back
                    _die()
            except Exception as error:  # of any kind, above all a database that is away: again
                _LOG.warning("%s: %s", type(error).__name__, error)

    def _tend(self) -> None:
        """Close runs that do not go on, bring back what was lost, start what is queued.

        Beside a worker with a newer engine it only finishes what it has.
        """
        state = self._store.ask(read_engine_state)
        for at, live in [*self._live.items()]:
            if self._stopping or state.runs.get(at) != "running":
                with suppress(RuntimeError):  # the loop has ended
                    assert self._loop is not None
                    self._loop.call_soon_threadsafe(live.close)
        if self._lease.engine < max(state.workers.values(), default=0):
            return
        self._reaper.recover(state)
        if not self._stopping:
            self._reaper.start(state.runs)
        if time.monotonic() >= self._tidied + _TIDY_S:
            self._tidied = time.monotonic()
            tidy_workflows(DBOS, self._store, datetime.fromtimestamp(self._lease.time(), UTC))


async def run_worker(worker: Worker, until: asyncio.Event) -> NoReturn:
    """Work until the event is set; then finish what is under way, and end the process.

    The process ends at once: workflows that are left belong to other workers now, and what
    an orderly end of DBOS would write of them is theirs to write.
    """
    try:
        await worker.start()
    except LeaseLostError:  # it was stopped while it began
        _die()
    await until.wait()
    await worker.stop()
    os._exit(0)


def _die() -> None:
    """Another worker has taken over; nothing may be written or sent any more."""
    _LOG.error("this worker was taken for dead, and ends")
    os._exit(LEASE_LOST)


def _register(queue: str) -> None:
    DBOS.register_queue(queue, worker_concurrency=BATCHES, polling_interval_sec=_QUEUE_S)


def _dbos_config(address: StoreAddress, lease: Lease) -> DBOSConfig:
    return {
        "name": "volact",
        "system_database_url": engine_url(address),
        "executor_id": lease.worker,
        "application_version": app_version(lease.engine),
        "log_level": "WARNING",
        "sys_db_idle_transaction_timeout_sec": IDLE_MS / 1000,
        "notification_coalesce_sec": 1.0,  # none is used, and looking for some costs
    }


def engine_url(address: StoreAddress) -> str:
    """DBOS's tables: a schema of PostgreSQL; for SQLite a file beside the store's."""
    if address.file is not None:
        file = engine_file(address.file)
        require_file(file)
        # A commit is one write to the disk then; others that are at it keep the mode as it is.
        with closing(sqlite3.connect(file)) as connection, suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
        return f"sqlite:///{file}"
    return server_url(address.url).render_as_string(hide_password=False)


def engine_file(store: Path) -> Path:
    """Where DBOS's tables are beside a store in a file."""
    return store.with_name(f"{store.stem}-engine{store.suffix}")
