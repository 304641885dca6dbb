"""One run of the service, for the engine; what callers see of runs is ``run_list``'s."""

from __future__ import annotations

import sqlalchemy as sa

from volact.client.wire import RunInfo
from volact.errors import InputError
from volact.model.text import raw, say
from volact.service.database.tables import RUNS
from volact.service.run_list import COLUMNS, info_of


def find_run(connection: sa.Connection, run: str) -> RunInfo:
    """The run of that id; ``InputError`` for none."""
    row = connection.execute(sa.select(*COLUMNS).where(RUNS.c.id == run)).one_or_none()
    if row is None:
        raise InputError(say("there is no run {text}", text=raw(run)))
    return info_of(row)
