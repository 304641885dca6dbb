"""A run as one worker works on it: its servers, how they are reached, what is recorded.

Credentials are resolved here, out of the inventory's references; none is stored.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import aclosing, suppress
from itertools import groupby
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from volact import __version__
from volact.client.wire import RunInfo, RunSpec
from volact.core.undo_history import history_of
from volact.errors import AnswerError, StoreError
from volact.fleet import Control, Entered, FleetEvent, run_fleet
from volact.fleet.failure_policy import is_failure
from volact.fleet.load_sampler import LoadSampler
from volact.fleet.machine_limits import most_at_a_time
from volact.fleet.rate_limiter import RateLimiter
from volact.inventory import Inventory, Secrets
from volact.model.report import ErrorRow, ServerReport
from volact.model.server import Server
from volact.model.step import Intent
from volact.model.text import say
from volact.model.undo import RunHistory
from volact.pipeline import Job
from volact.service.database.tables import RUNS
from volact.service.engine import progress
from volact.service.engine.gate import BATCHES, Gate
from volact.service.engine.lease import Lease
from volact.service.engine.ledger import Ledger, RunWriting, not_changed, patiently
from volact.service.engine.plan import Rules, job_of, rules_of
from volact.service.engine.progress import Outcome
from volact.service.engine.slots import SlotHolder
from volact.service.inventories import read_whole, stored_text
from volact.service.run_bounds import within_bounds
from volact.service.run_list import find_run
from volact.service.tracing import Spans
from volact.store import reading
from volact.store.clock import moment
from volact.store.encoding import encode
from volact.store.events import FactsSeen, ServerDone, StepsPlanned, StepsWithdrawn
from volact.store.store import Store
from volact.store.values import RunStart
from volact.transports.base import Opener
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions

OpenerOf = Callable[[Inventory], Opener]


class RunParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker reads of a run before it works on it."""

    info: RunInfo
    rules: Rules
    writing: RunWriting
    servers: Mapping[str, Server]
    job: Job
    opener: Opener


def opener_of(inventory: Inventory) -> Opener:
    """What opens the servers of an inventory."""
    return make_opener(Secrets(held=inventory.held), SshOptions())


def load_parts(store: Store, run: str, attempt: int, opening: OpenerOf) -> RunParts:
    """Read a run and its inventory; ``InputError`` where that cannot be used any more."""

    def read(connection: sa.Connection) -> tuple[RunInfo, dict[str, RunHistory], str, str]:
        info = find_run(connection, run)
        spec = within_bounds(info.spec)
        info = msgspec.structs.replace(info, spec=spec)
        histories = histories_of(connection, spec.undo) if spec.verb == "undo" else {}
        return info, histories, *stored_text(connection, spec.inventory)

    info, histories, file, text = patiently(store, read)
    inventory = read_whole(file, text)
    rules = rules_of(info.spec)
    return RunParts(
        info=info,
        rules=rules,
        writing=RunWriting(
            start=run_start(info, inventory.servers),
            begun=moment(info.begun or info.requested),
            attempt=attempt,
            limits=rules.limits(info.servers),
        ),
        servers={server.name: server for server in inventory.servers},
        job=job_of(info.spec, run, info.requested_by, inventory, histories),
        opener=opening(inventory),
    )


def run_start(info: RunInfo, servers: Sequence[Server] = ()) -> RunStart:
    """The run as the store has it."""
    spec = info.spec
    limits = (f"--limit {word}" for word in spec.limit)
    words = ("volact", spec.verb, "-i", spec.inventory, *spec.targets, *limits)
    return RunStart(
        id=info.id,
        command=spec.verb,
        started=moment(info.begun or info.requested),
        volact=__version__,
        words=" ".join(words),
        tags={server.name: server.tags for server in servers if server.tags} or None,
    )


def histories_of(connection: sa.Connection, run: str) -> dict[str, RunHistory]:
    """What a run did to each server that it sent steps to."""
    reports = {stored.report.name: stored.report for stored in reading.rows(connection, run)}
    by_server = groupby(reading.intents(connection, run), key=lambda intent: intent.server)
    return {name: history_of(run, tuple(intents), reports.get(name)) for name, intents in by_server}


class LiveRun:
    """The work on one attempt of a run in this process; belongs to one event loop."""

    def __init__(self, parts: RunParts, ledger: Ledger, lease: Lease, spans: Spans) -> None:
        self._spans = spans
        # A worker has the batches of so many runs at work.
        most = parts.info.spec.concurrency or max(1, most_at_a_time() // BATCHES)
        self._load = LoadSampler(most)
        self.gate = Gate(self._load.limit)
        self._sampling = asyncio.ensure_future(self._adapt())
        self.batches = 0
        self._parts = parts
        self._ledger = ledger
        self._lease = lease
        self._closed = asyncio.Event()
        self._turn = asyncio.Lock()  # one that waits: a pause loses no more turns
        recorder = _Recorder(ledger, parts.writing, lease)
        self._job = msgspec.structs.replace(parts.job, recorder=recorder)

    @property
    def spec(self) -> RunSpec:
        """What the run is asked to do."""
        return self._parts.info.spec

    @property
    def open(self) -> bool:
        """Whether more servers may begin."""
        return not self._closed.is_set()

    def close(self) -> None:
        """Begin no more servers; those under way are finished."""
        self._closed.set()

    def end(self) -> None:
        """Follow the load no more: no batch is left."""
        self._sampling.cancel()

    async def _adapt(self) -> None:
        """Let the number of servers at a time follow the load, until cancelled."""
        async for limit in self._load.limits(lambda: self.gate.busy):
            self.gate.resize(limit)

    async def finished_before(self, names: Sequence[str]) -> set[str]:
        """Those of these servers that have their outcome already."""
        run = self._parts.info.id
        return await self._ledger.ask(lambda c: progress.finished(c, run, names))

    async def written(self, rows: Iterable[Future[bool] | None]) -> None:
        """Return when these are written; raises why one could not be."""
        await self._ledger.flush()
        for row in rows:
            if row is not None:
                row.result()

    async def pace(self) -> None:
        """Wait for this server's turn, which all workers take from one sequence."""
        rate = self._parts.rules.pace
        if rate is None:
            return
        run = self._parts.info.id

        def take(connection: sa.Connection) -> float:
            of = RUNS.c.id == run
            row = connection.execute(sa.select(RUNS.c.pace_slot).where(of).with_for_update()).one()
            at = self._lease.time()
            free = float("-inf") if row.pace_slot is None else row.pace_slot
            limiter = RateLimiter(rate, random.random, free)
            begin = limiter.next(at)
            connection.execute(sa.update(RUNS).where(of).values(pace_slot=int(limiter.free)))
            return begin - at + 1e-9

        async with self._turn:
            if not self.open:
                return
            wait = await self._ledger.ask(take)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, wait)):
                    await self._closed.wait()

    async def visit(self, name: str) -> Future[bool] | None:
        """Work on one server; what is done when its row is written, ``None`` if it has none.

        Where stop rules hold it is done already: they are judged before more servers begin.
        """
        server = self._parts.servers.get(name)
        if server is None:
            return await self._finish(_gone(name, self.spec.inventory), sent=False)
        sent = False

        def on_event(event: FleetEvent) -> None:
            nonlocal sent
            if isinstance(event, Entered) and event.phase in {"probe", "apply"}:
                sent = event.phase == "apply"

        holder = f"{self._parts.info.id}/{name}"
        limit, worker = self.spec.kms_concurrency, self._lease.worker
        slot = SlotHolder(self._ledger, limit, worker, holder, self._closed.is_set).at
        control = Control(concurrency=1, drain=self._closed, on_event=on_event, slot=slot)
        rows_of = run_fleet((server,), self._parts.opener, self._job, control)
        with self._spans.server(self._parts.info.id, name) as end:
            async with aclosing(rows_of) as rows:
                async for row in rows:
                    end(row)
                    return await self._finish(row, sent=sent)
        raise AssertionError("a run over one server has one row")

    async def _finish(self, row: ServerReport, *, sent: bool) -> Future[bool] | None:
        self._load.count(row)
        if row.verdict == "not-started":
            if self.open and row.error is not None:  # the database failed: the batch does, too
                raise StoreError(row.error.message)
            return None
        outcome = Outcome(row.name, row.verdict, is_failure(row, sent=sent))
        written = self._ledger.finished(self._parts.writing, ServerDone("", row), outcome)
        if self._parts.writing.limits is not None and not await asyncio.wrap_future(written):
            self.close()
        return written


class _Recorder:
    """A ``RunRecorder`` that lets no step go out without a durable intent and a live lease."""

    def __init__(self, ledger: Ledger, writing: RunWriting, lease: Lease) -> None:
        self._ledger = ledger
        self._writing = writing
        self._lease = lease
        self._sent: dict[str, str] = {}  # when, by server

    def seen(self, server: str, probe: Literal["first", "closing"], facts: dict[str, Any]) -> None:
        """Write the raw facts of one probe."""
        self._ledger.note(self._writing, FactsSeen(server, self._lease.now(), probe, encode(facts)))

    async def sending(self, intent: Intent) -> None:
        """Return when the intent is committed by a worker that holds lease and server.

        Where it cannot be, the server is left to the run.
        """
        run, worker = self._writing.start.id, self._lease.worker
        at = self._sent[intent.server] = self._lease.now()
        intent = msgspec.structs.replace(intent, at=at)
        written = StepsPlanned(intent, asyncio.get_running_loop().create_future())
        try:
            claimed = await self._ledger.write_if(
                lambda c: progress.claim(c, run, intent.server, worker), self._writing, written
            )
        except StoreError as error:
            raise not_changed(error) from error
        if not claimed:
            raise AnswerError("busy", say("another worker of this run changes the server"))
        await self._lease.fresh()

    def withdrawn(self, intent: Intent) -> None:
        """Delete an intent of which no step ran."""
        sent = msgspec.structs.replace(intent, at=self._sent.get(intent.server, intent.at))
        self._ledger.note(self._writing, StepsWithdrawn(sent))


def _gone(name: str, inventory: str) -> ServerReport:
    message = say("the server is no longer in the inventory {inventory}", inventory=inventory)
    return ServerReport(
        name=name,
        address="",
        provider=None,
        verdict="unreachable",
        error=ErrorRow(kind="connect", message=message),
    )
