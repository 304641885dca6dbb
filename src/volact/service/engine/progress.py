"""The state of runs and of their servers, as statements.

Every change of a state names the states that it leaves, so that of two processes only one
makes it.  What a worker may write is fenced by its lease (``lease``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any

import msgspec
import sqlalchemy as sa

from volact.client.wire import RunState
from volact.fleet.failure_policy import FailureLimits, Tally
from volact.model.text import raw, say
from volact.service.database.tables import RUN_SERVERS, RUNS, WORKERS
from volact.service.engine.canaries import stop_of
from volact.service.engine.plan import Member
from volact.service.engine.tally import tally_of
from volact.store.encoding import readable

NOTE = 1024  # characters of a run's note
_MOST_ATTEMPTS = 50
_OPEN: tuple[RunState, ...] = ("queued", "running", "cancelling")


class Outcome(msgspec.Struct, frozen=True):
    """What came of a server; ``failed`` as the stop rules count it."""

    server: str
    verdict: str
    failed: bool


class Standing(msgspec.Struct, frozen=True):
    """Where a run is."""

    state: RunState
    attempt: int


def move(connection: sa.Connection, run: str, leaving: Collection[RunState], **values: Any) -> bool:
    """Change a run that is in one of these states; whether it was."""
    of = sa.and_(RUNS.c.id == run, RUNS.c.state.in_(leaving))
    return connection.execute(sa.update(RUNS).where(of).values(values)).rowcount == 1


def standing(connection: sa.Connection, run: str) -> Standing:
    """Where this run is; one that is not there is over."""
    query = sa.select(RUNS.c.state, RUNS.c.attempt).where(RUNS.c.id == run)
    row = connection.execute(query).one_or_none()
    return Standing("cancelled", 0) if row is None else Standing(row.state, row.attempt)


def open_runs(connection: sa.Connection) -> dict[tuple[str, int], RunState]:
    """The state of each run that has a workflow or needs one, by id and attempt, oldest first."""
    query = sa.select(RUNS.c.id, RUNS.c.attempt, RUNS.c.state).where(RUNS.c.state.in_(_OPEN))
    rows = connection.execute(query.order_by(RUNS.c.requested))
    return {(row.id, row.attempt): row.state for row in rows}


def start_again(connection: sa.Connection, run: str, attempt: int) -> None:
    """Another attempt for a run that this one has left."""
    state = sa.case((RUNS.c.state == "running", "queued"), else_=RUNS.c.state)
    of = sa.and_(RUNS.c.id == run, RUNS.c.attempt == attempt, RUNS.c.state.in_(_OPEN))
    connection.execute(sa.update(RUNS).where(of).values(attempt=attempt + 1, state=state))


def start_after_failure(connection: sa.Connection, run: str, attempt: int, at: str) -> None:
    """The same where its workflow is lost; after too many attempts the run has failed."""
    if attempt < _MOST_ATTEMPTS:
        start_again(connection, run, attempt)
    else:
        note = say("its workflow failed too often")
        move(connection, run, _OPEN, state="failed", ended=at, note=note)


def add_members(connection: sa.Connection, run: str, members: Iterable[Member]) -> None:
    """The servers of a new run."""
    rows = [
        {"run": run, "server": one.name, "position": at, "canary": one.canary, "label": one.label}
        for at, one in enumerate(members)
    ]
    connection.execute(sa.insert(RUN_SERVERS), rows)


def unfinished(connection: sa.Connection, run: str) -> list[Member]:
    """The servers to be worked on next: the canaries, then the others."""
    query = sa.select(RUN_SERVERS.c.server, RUN_SERVERS.c.label, RUN_SERVERS.c.canary).where(
        RUN_SERVERS.c.run == run, RUN_SERVERS.c.verdict == ""
    )
    left = [Member(*row) for row in connection.execute(query.order_by(RUN_SERVERS.c.position))]
    return [one for one in left if one.canary] or left


def not_healthy(connection: sa.Connection, run: str) -> list[str]:
    """The servers of a run that are not healthy."""
    query = sa.select(RUN_SERVERS.c.server).where(
        RUN_SERVERS.c.run == run, RUN_SERVERS.c.verdict != "healthy"
    )
    return [*connection.execute(query.order_by(RUN_SERVERS.c.position)).scalars()]


def finished(connection: sa.Connection, run: str, names: Sequence[str]) -> set[str]:
    """Those of these servers whose outcome is known."""
    query = sa.select(RUN_SERVERS.c.server).where(
        RUN_SERVERS.c.run == run, RUN_SERVERS.c.server.in_(names), RUN_SERVERS.c.verdict != ""
    )
    return {*connection.execute(query).scalars()}


def reached(connection: sa.Connection, engine: int | None = None) -> set[str]:
    """The labels that workers (with this engine) have, and ``""``, which every worker has."""
    query = sa.select(WORKERS.c.labels)
    if engine is not None:
        query = query.where(WORKERS.c.engine == engine)
    labels = connection.execute(query).scalars()
    return {"", *chain.from_iterable(msgspec.json.decode(one, type=list[str]) for one in labels)}


def tell_unreached(connection: sa.Connection, engine: int) -> set[str]:
    """Note at each run at work which labels of its servers no worker has.

    Returns the runs of which no worker with this engine reaches a server that is next: the
    canaries, if any.
    """
    left = sa.and_(RUN_SERVERS.c.run == RUNS.c.id, RUN_SERVERS.c.verdict == "")
    query = sa.select(RUNS.c.id, RUNS.c.note, RUN_SERVERS.c.canary, RUN_SERVERS.c.label).distinct()
    query = query.outerjoin(RUN_SERVERS, left).where(RUNS.c.state == "running")
    found: dict[tuple[str, str], dict[bool, set[str]]] = defaultdict(dict)
    for run, note, canary, label in connection.execute(query):
        found[run, note].setdefault(bool(canary), set()).add(label or "")
    there, next_reached, waiting = reached(connection), reached(connection, engine), set()
    running: tuple[RunState, ...] = ("running",)
    for (run, note), labels in found.items():
        missing = sorted(set().union(*labels.values()) - there)
        words = say("no worker has the label {labels}", labels=raw(", ".join(missing)))
        told = readable(words)[:NOTE] if missing else ""
        if told != note:
            move(connection, run, running, note=told)
        if next_reached.isdisjoint(labels[max(labels)]):
            waiting.add(run)
    return waiting


def claim(connection: sa.Connection, run: str, server: str, worker: str) -> bool:
    """Reserve a server for the steps of one worker; not if another live one has it."""
    alive = sa.select(WORKERS.c.id)
    of = RUN_SERVERS.c.claimed_by
    statement = (
        sa.update(RUN_SERVERS)
        .where(RUN_SERVERS.c.run == run, RUN_SERVERS.c.server == server)
        .where(RUN_SERVERS.c.verdict == "")
        .where(sa.or_(of == "", of == worker, of.not_in(alive)))
        .values(claimed_by=worker)
    )
    return connection.execute(statement).rowcount == 1


def record(
    connection: sa.Connection,
    run: str,
    attempt: int,
    outcomes: Sequence[Outcome],
    limits: FailureLimits | None,
) -> bool:
    """Write outcomes and count them once; whether the run may go on by its stop rules."""
    row = connection.execute(
        sa.select(RUNS.c.counts, RUNS.c.counted_from).where(RUNS.c.id == run).with_for_update()
    ).one_or_none()
    if row is None:
        return False
    alike: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for one in outcomes:
        alike[one.verdict, one.failed].append(one.server)
    new: Counter[str] = Counter()
    for (verdict, failed), servers in alike.items():
        values = {"verdict": verdict, "failed": failed, "attempt": attempt, "claimed_by": ""}
        new[verdict] += _set_outcome(connection, run, servers, values)
    counts = Counter(msgspec.json.decode(row.counts, type=dict[str, int])) + new
    connection.execute(
        sa.update(RUNS)
        .where(RUNS.c.id == run)
        .values(done=counts.total(), counts=msgspec.json.encode(counts).decode())
    )
    if limits is None:
        return True
    stop = stop_of(connection, run, row.counted_from, limits)
    if stop is None:
        whole = msgspec.structs.replace(limits, canaries=0)
        stop = tally(connection, run, row.counted_from).judge(whole)
    if stop is None:
        return True
    running: tuple[RunState, ...] = ("running",)
    move(connection, run, running, state="stopped", note=readable(stop.sentence)[:NOTE])
    return False


def _set_outcome(
    connection: sa.Connection, run: str, servers: list[str], values: dict[str, Any]
) -> int:
    """Write an outcome of servers that have none; of how many."""
    of = sa.and_(
        RUN_SERVERS.c.run == run, RUN_SERVERS.c.server.in_(servers), RUN_SERVERS.c.verdict == ""
    )
    return connection.execute(sa.update(RUN_SERVERS).where(of).values(values)).rowcount


def tally(connection: sa.Connection, run: str, attempt: int) -> Tally:
    """The recorded outcomes from this attempt on."""
    of = sa.and_(RUN_SERVERS.c.run == run, RUN_SERVERS.c.attempt >= attempt)
    return tally_of(connection, of)


def begin(connection: sa.Connection, run: str, attempt: int, at: str) -> bool:
    """Take a run out of the queue; whether this attempt works on it."""
    begun = sa.func.coalesce(RUNS.c.begun, at)
    of = sa.and_(RUNS.c.id == run, RUNS.c.attempt == attempt, RUNS.c.state == "queued")
    connection.execute(
        sa.update(RUNS).where(of).values(state="running", begun=begun, ended=None, note="")
    )
    return standing(connection, run) == Standing("running", attempt)
