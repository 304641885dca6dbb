"""What every worker does once a beat: renew its lease, take on what dead workers left, start runs.

What DBOS has of workflows is read when workers or runs have changed, and else seldom: that
costs more than all the rest.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial

import msgspec
import sqlalchemy as sa
from dbos import DBOS, SetWorkflowID

from volact.client.wire import RunState
from volact.service.database.tables import WORKERS
from volact.service.engine import progress
from volact.service.engine.lease import (
    READINGS,
    REAPER_LOCK,
    Lease,
    LeaseObserver,
    beats,
    open_session,
    sessions,
    take_away,
)
from volact.service.engine.workflows import (
    BATCH_NAME,
    BROKEN,
    RUN_QUEUE,
    app_version,
    at_work,
    left_queue_of,
    queues_of,
    run_workflow,
    workflow_id,
)
from volact.service.logs import context
from volact.store.engine import is_sqlite, writing
from volact.store.failures import CAUGHT
from volact.store.store import Store

_LOG = logging.getLogger("volact.service")
_SELDOM = 5  # beats
_LOST_READINGS = 20
_UNFINISHED = {"PENDING", "ENQUEUED"}


class EngineState(msgspec.Struct, frozen=True):
    """The engines of workers, and the runs that they have to do with, by id and attempt."""

    workers: dict[str, int]
    runs: dict[tuple[str, int], RunState]


def read_engine_state(connection: sa.Connection) -> EngineState:
    """The state now."""
    engines = connection.execute(sa.select(WORKERS.c.id, WORKERS.c.engine))
    return EngineState({row.id: row.engine for row in engines}, progress.open_runs(connection))


class Unbegun:
    """Workflows that DBOS gave to this worker, and that never began here.

    DBOS forgets them where the database is lost between the two.
    """

    def __init__(self, readings: int = _LOST_READINGS) -> None:
        self._readings = readings
        self._seen: dict[str, int] = {}

    def lost(self, mine: Collection[str], at_work: Collection[str]) -> list[str]:
        """Those of this worker's workflows that were not at work in so many readings."""
        self._seen = {one: self._seen.get(one, 0) + 1 for one in mine if one not in at_work}
        return [one for one, seen in self._seen.items() if seen > self._readings]


class Reaper:
    """One worker's part in keeping all runs going."""

    def __init__(self, store: Store, lease: Lease, readings: int = READINGS) -> None:
        self._readings = readings
        self._store = store
        self._lease = lease
        self._observer = LeaseObserver(readings)
        self._session: sa.Connection | None = None
        self._unbegun = Unbegun()
        self._recovered: EngineState | None = None
        self._since = 0  # beats

    def beat(self) -> None:
        """Renew this worker's lease and take those of dead ones away."""
        had_session = self._session is not None
        try:
            alive, held = self._renew()
        except CAUGHT:
            if not had_session:
                raise
            alive, held = self._renew()  # at once: others see that the session has ended
        for worker, beat in self._observer.dead(alive, held):
            _LOG.warning("worker %s is taken for dead", worker)
            self._store.change(partial(take_away, worker=worker, beat=beat))

    def _renew(self) -> tuple[dict[str, int], set[str]]:
        """Renew the lease; the counters of all workers, and whose session lives."""
        try:
            if self._session is None:
                self._session = open_session(self._store.engine, self._lease.worker)
                # The database may have ended sessions.
                self._observer = LeaseObserver(self._readings)
            with self._session.begin():
                self._lease.renew(self._session)
                alive = beats(self._session)
                return alive, sessions(self._session, alive)
        except Exception:
            self._leave_session()
            raise

    def _leave_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(*CAUGHT):
                session.close()

    def recover(self, state: EngineState) -> None:
        """Bring back workflows without a worker, and runs without a workflow."""
        self._since += 1
        if (state != self._recovered or self._since >= _SELDOM) and self._alone(self._recover):
            self._recovered, self._since = state, 0

    def start(self, runs: Mapping[tuple[str, int], RunState]) -> None:
        """Start the workflows of queued runs; of two workers that do so, one workflow comes.

        An end by request may need a workflow of its own.
        """
        for (run, attempt), state in runs.items():
            if state != "running":
                with SetWorkflowID(workflow_id(run, attempt)):
                    DBOS.enqueue_workflow(RUN_QUEUE, run_workflow, run, attempt)

    def _alone(self, work: Callable[[sa.Connection], None]) -> bool:
        """Do this unless another worker is at it: what it has resumed would be resumed again."""
        with writing(self._store.engine).begin() as connection:
            lock = sa.select(sa.func.pg_try_advisory_xact_lock(REAPER_LOCK))
            if not is_sqlite(connection) and not connection.execute(lock).scalar():
                return False
            self._lease.require(connection)
            work(connection)
            return True

    def _recover(self, connection: sa.Connection) -> None:
        self._resume(connection)
        _withdraw(connection)
        waiting = progress.tell_unreached(connection, self._lease.engine)
        _start_again(connection, self._lease.now(), waiting)

    def _resume(self, connection: sa.Connection) -> None:
        """Put workflows of workers without a lease back into their queues."""
        pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        alive = beats(connection)
        mine = [one.workflow_id for one in pending if one.executor_id == self._lease.worker]
        lost = self._unbegun.lost(mine, at_work)
        orphans: dict[str, list[str]] = defaultdict(list)
        for one in pending:
            if one.executor_id not in alive or one.workflow_id in lost:
                orphans[left_queue_of(one.queue_name or RUN_QUEUE)].append(one.workflow_id)
        for queue, ids in orphans.items():
            _LOG.warning("%d workflows without a worker go on", len(ids))
            DBOS.resume_workflows(ids, queue_name=queue)


def _engines(connection: sa.Connection) -> set[int]:
    return {*connection.execute(sa.select(WORKERS.c.engine)).scalars()}


def _withdraw(connection: sa.Connection) -> None:
    """Cancel batches of runs that do not go on, and those that no worker takes.

    What these left undone is given out again when workers reach it.
    """
    waiting = DBOS.list_workflows(
        status="ENQUEUED", name=BATCH_NAME, load_input=False, load_output=False
    )
    if waiting:
        runs = progress.open_runs(connection)
        wanted = {workflow_id(*one) for one, state in runs.items() if state == "running"}
        read = {
            (app_version(engine), queue)
            for engine in _engines(connection)
            for queue in queues_of(progress.reached(connection, engine))
        }
        if over := [
            one.workflow_id
            for one in waiting
            if one.workflow_id.rpartition(".")[0] not in wanted
            or (one.app_version, one.queue_name) not in read
        ]:
            DBOS.cancel_workflows(over)


def _start_again(connection: sa.Connection, at: str, waiting: Collection[str]) -> None:
    """Another attempt for runs whose workflow failed in DBOS itself, or is not there.

    Those that go on so have failed.  Runs whose workflow ended, because no worker reached
    what is left, have another once one does; so have those whose workflow no worker executes,
    because all have another engine.
    """
    runs = progress.open_runs(connection)
    found = {workflow_id(*one): one for one in runs}
    if not found:
        return
    there = DBOS.list_workflows(workflow_ids=[*found], load_input=False, load_output=False)
    lost = {id_: "" for id_, one in found.items() if runs[one] == "running"}
    versions = {*map(app_version, _engines(connection))}
    for one in there:
        lost.pop(one.workflow_id, None)
        run, attempt = found[one.workflow_id]
        if one.status in BROKEN:
            lost[one.workflow_id] = str(one.error)
        elif one.status == "SUCCESS" and run not in waiting:
            progress.start_again(connection, run, attempt)
        elif one.status in _UNFINISHED and one.app_version not in versions:
            _LOG.warning("the run %s was begun by another version, and is begun again", run)
            DBOS.cancel_workflow(one.workflow_id)
            progress.start_again(connection, run, attempt)
    for id_, why in lost.items():
        run, attempt = found[id_]
        with context(run=run):
            _LOG.error("its workflow has failed: %s", why or "it is not there")
        progress.start_after_failure(connection, run, attempt, at)
