"""A worker's part in retention: what DBOS keeps of workflows whose runs are over.

Nothing reads it any more.  Rows and facts of runs are ``service.retention``'s.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from dbos import DBOS, DBOSClient

from volact.core.span import parse_span
from volact.service.database.tables import RUNS
from volact.service.engine.workflows import BROKEN
from volact.service.policies import RetentionPolicy
from volact.service.policy_store import read_policy
from volact.service.retention import claim, finish
from volact.store.store import Store

_LOG = logging.getLogger("volact.service")
_ENDED = ["SUCCESS", *BROKEN]
_TOGETHER = 500
_UNSAID = "30d"  # where runs are kept for ever


def tidy_workflows(engine: type[DBOS] | DBOSClient, store: Store, now: datetime) -> bool:
    """Delete what is older than the policy, unless it was done within a day; whether it was."""
    if not claim(store, now, "engine-retention"):
        return False
    policy = read_policy(store, RetentionPolicy)
    deleted = _delete(engine, store, now - parse_span(policy.runs or _UNSAID, "runs"))
    _LOG.info("retention: %d workflows deleted", deleted)
    finish(store, now, "engine-retention")
    return True


def _delete(engine: type[DBOS] | DBOSClient, store: Store, before: datetime) -> int:
    """Delete workflows that ended before, but none of a run that is not over.

    Where its workflow is executed again, it asks what came of its batches.
    """
    deleted = kept = 0
    while found := engine.list_workflows(
        status=_ENDED,
        completed_before=before.isoformat(),
        limit=_TOGETHER,
        offset=kept,
        load_input=False,
        load_output=False,
    ):
        run_of = {one.workflow_id: one.workflow_id.partition(".")[0] for one in found}
        going_on = store.ask(partial(_going_on, runs={*run_of.values()}))
        if over := [id_ for id_, run in run_of.items() if run not in going_on]:
            engine.delete_workflows(over)
        deleted, kept = deleted + len(over), kept + len(found) - len(over)
    return deleted


def _going_on(connection: sa.Connection, runs: set[str]) -> set[str]:
    query = sa.select(RUNS.c.id).where(RUNS.c.id.in_(runs), RUNS.c.ended.is_(None))
    return {*connection.execute(query).scalars()}
