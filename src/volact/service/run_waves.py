"""How far a run is: its waves (canaries, then all others), and the last servers of it."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa

from volact.client.answers import RunWave, WaveState
from volact.client.wire import RunInfo
from volact.queries.filters import names_within
from volact.queries.pages import Reader
from volact.service.database.tables import RUN_SERVERS
from volact.service.run_list import Scopes

_FEW = 5


def waves_of(reader: Reader, run: RunInfo, scopes: Scopes = None) -> tuple[RunWave, ...]:
    """The waves that a caller sees servers of, in their order; none of a run without canaries."""
    if not run.spec.canary:
        return ()
    of_run, columns = RUN_SERVERS.c.run == run.id, (RUN_SERVERS.c.canary, RUN_SERVERS.c.verdict)
    canaries = sa.select(RUN_SERVERS.c.verdict).where(of_run, RUN_SERVERS.c.canary)

    def read(connection: sa.Connection) -> tuple[RunWave, ...]:
        first = connection.execute(canaries).scalars().all()
        if not first:
            return ()
        query = sa.select(*columns, sa.func.count()).where(of_run).group_by(*columns)
        if scopes is not None:
            names = names_within(scopes, connection.dialect.name)
            query = query.where(RUN_SERVERS.c.server.in_(names))
        counts: dict[bool, dict[str, int]] = defaultdict(dict)
        for canary, verdict, servers in connection.execute(query):
            counts[canary][verdict] = servers
        return tuple(
            _wave(run, canary, counts[canary], waits="" in first and not canary)
            for canary in (True, False)
            if canary in counts
        )

    return reader.ask(read)


def last_servers(reader: Reader, run: RunInfo, scopes: Scopes = None) -> list[str]:
    """The servers that a run still works on, when they are few; what it waits for has names."""
    if run.state != "running" or not 0 < run.servers - run.done <= _FEW:
        return []
    query = sa.select(RUN_SERVERS.c.server).where(
        RUN_SERVERS.c.run == run.id, RUN_SERVERS.c.verdict == ""
    )

    def read(connection: sa.Connection) -> list[str]:
        names = None if scopes is None else names_within(scopes, connection.dialect.name)
        seen = query if names is None else query.where(RUN_SERVERS.c.server.in_(names))
        return [*connection.execute(seen.order_by(RUN_SERVERS.c.position).limit(_FEW)).scalars()]

    return reader.ask(read)


def _wave(run: RunInfo, canaries: bool, counts: dict[str, int], *, waits: bool) -> RunWave:
    left = counts.pop("", 0)
    done = sum(counts.values())
    state: WaveState = "waiting" if waits else "running"
    if not left:
        state = "done"
    elif run.state in ("awaiting-approval", "queued"):
        state = "waiting"
    elif run.state != "running":
        state = "halted"
    return RunWave(canaries=canaries, state=state, servers=left + done, done=done, counts=counts)
