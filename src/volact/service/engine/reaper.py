"""What every worker does once a beat: renew its lease, bury the dead, start what is queued."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import sqlalchemy as sa
from dbos import DBOS, SetWorkflowID

from volact.service.engine import progress
from volact.service.engine.lease import (
    Lease,
    Observer,
    beats,
    open_session,
    sessions,
    take_away,
)
from volact.service.engine.workflows import (
    BATCH_NAME,
    RUN_QUEUE,
    left_queue_of,
    run_workflow,
    workflow_id,
)
from volact.service.logs import context
from volact.store.engine import is_sqlite, writing
from volact.store.failures import CAUGHT
from volact.store.store import Store

_LOG = logging.getLogger("volact.service")
_REAPER_LOCK = 0x766F6C616365  # of one reaper at a time


class Reaper:
    """One worker's part in keeping all runs going."""

    def __init__(self, store: Store, lease: Lease) -> None:
        self._store = store
        self._lease = lease
        self._observer = Observer()
        self._session: sa.Connection | None = None

    def beat(self) -> None:
        """Renew this worker's lease and take those of dead ones away."""
        try:
            if self._session is None:
                self._session = open_session(self._store.engine, self._lease.worker)
                self._observer = Observer()  # it may have been the database that ended sessions
            with self._session.begin():
                self._lease.renew(self._session)
                alive = beats(self._session)
                held = sessions(self._session, alive)
        except CAUGHT:
            self._leave_session()
            raise
        for worker, beat in self._observer.look(alive, held):
            _LOG.warning("worker %s is taken for dead", worker)
            self._store.change(partial(take_away, worker=worker, beat=beat))

    def _leave_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(*CAUGHT):
                session.close()

    def recover(self) -> None:
        """Bring back workflows without a worker, and runs without a workflow."""
        self._alone(_recover)

    def start_queued(self) -> None:
        """Start the workflows of queued runs; of two workers that do so, one workflow comes."""
        for run, attempt in self._store.ask(_to_start):
            with SetWorkflowID(workflow_id(run, attempt)):
                DBOS.enqueue_workflow(RUN_QUEUE, run_workflow, run, attempt)

    def _alone(self, work: Callable[[sa.Connection], None]) -> None:
        """Do this unless another worker is at it: what it has resumed would be resumed again."""
        with writing(self._store.engine).begin() as connection:
            lock = sa.select(sa.func.pg_try_advisory_xact_lock(_REAPER_LOCK))
            if is_sqlite(connection) or connection.execute(lock).scalar():
                self._lease.require(connection)
                work(connection)


def _to_start(connection: sa.Connection) -> list[tuple[str, int]]:
    """Runs whose workflow is to be there; an end by request may need one of its own."""
    return progress.in_state(connection, "queued", "cancelling")


def _recover(connection: sa.Connection) -> None:
    _resume(connection)
    _withdraw(connection)
    _start_again(connection)


def _resume(connection: sa.Connection) -> None:
    """Put workflows of workers without a lease back into their queues."""
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    alive = beats(connection)
    orphans: dict[str, list[str]] = defaultdict(list)
    for one in pending:
        if one.executor_id not in alive:
            orphans[left_queue_of(one.queue_name or RUN_QUEUE)].append(one.workflow_id)
    for queue, ids in orphans.items():
        _LOG.warning("%d workflows of dead workers go on", len(ids))
        DBOS.resume_workflows(ids, queue_name=queue)


def _withdraw(connection: sa.Connection) -> None:
    """Cancel batches of runs that do not go on; their queue may have no worker."""
    waiting = DBOS.list_workflows(
        status="ENQUEUED", name=BATCH_NAME, load_input=False, load_output=False
    )
    if waiting:
        wanted = {workflow_id(*one) for one in progress.in_state(connection, "running")}
        ids = [one.workflow_id for one in waiting]
        DBOS.cancel_workflows([id_ for id_ in ids if id_.rpartition(".")[0] not in wanted])


def _start_again(connection: sa.Connection) -> None:
    """Another attempt for runs whose workflow failed in DBOS itself; fail those that go on so."""
    found = {
        workflow_id(*one): one for one in progress.in_state(connection, "running", "cancelling")
    }
    if not found:
        return
    broken = DBOS.list_workflows(
        workflow_ids=[*found],
        status=["ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
        load_input=False,
        load_output=False,
    )
    for one in broken:
        run, attempt = found[one.workflow_id]
        with context(run=run):
            _LOG.error("its workflow has failed: %s", one.error)
        progress.start_again(connection, run, attempt)
