"""``--resume``: continue a run without the servers that it verified.

Servers that it left healthy less than an hour ago keep their stored rows, which say so, where
the stored facts are healthy by the rules of this run, too.  All others are examined as in any run.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from volact.cli.fleet_options import Fleet
from volact.cli.options.changes import RolloutOptions
from volact.core.facts import read_facts
from volact.errors import AnswerError, InputError
from volact.model.report import ServerReport
from volact.model.server import Server
from volact.model.text import Text, count, say
from volact.pipeline import Job, judge_facts
from volact.store import open_store
from volact.store.address import chosen
from volact.store.store import Store
from volact.store.values import StoredRow

FRESH = timedelta(hours=1)


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """The rest of the fleet, the rows taken from the store, and the note about them."""

    fleet: Fleet
    carried: tuple[ServerReport, ...] = ()
    note: Text | None = None


def resumed(options: RolloutOptions, fleet: Fleet, now: datetime | None = None) -> Resumed:
    """The fleet without the servers that the run verified; ``InputError`` for an unknown run."""
    if not options.resume:
        return Resumed(fleet=fleet)
    with _store(options) as store:
        run = store.find_run(options.resume, ("activate",))
        if run.command != "activate":
            raise InputError(
                say("run {run} was volact {command}, which cannot be resumed",
                    run=run.id, command=run.command),
                say("see: volact runs"),
            )  # fmt: skip
        carried = _verified(store, run.id, fleet, now or datetime.now(UTC))
    skipped = {row.name for row in carried}
    left = tuple(server for server in fleet.servers if server.name not in skipped)
    rest = msgspec.structs.replace(fleet, servers=left)
    if not carried:
        return Resumed(fleet=rest)
    note = count(
        len(carried),
        "{n} server skipped: run {run} verified it less than an hour ago",
        "{n} servers skipped: run {run} verified them less than an hour ago",
        run=run.id,
    )
    return Resumed(fleet=rest, carried=carried, note=note)


def _store(options: RolloutOptions) -> Store:
    store = None if options.no_store else open_store(options.store or None, create=False)
    if store is None:
        address = None if options.no_store else chosen(options.store)
        raise InputError(
            say("--resume {run}: the store has no runs{place}", run=options.resume,
                place=f" ({address.shown})" if address else ""),
            say("name the store with --store, or omit --resume: a repeated run changes only "
                "what still needs it"),
        )  # fmt: skip
    return store


def _verified(store: Store, run: str, fleet: Fleet, now: datetime) -> tuple[ServerReport, ...]:
    """The rows for servers that the run verified, by the rules of this run, too."""
    # What was verified in the future was verified by a clock that was set since.
    fresh = store.verified_between(run, now - FRESH, now)
    meant = {server.name: server for server in fleet.servers if server.name in fresh}
    if not meant:
        return ()
    rows = {row.report.name: row for row in store.rows(run) if _is_of(row, meant)}
    healthy = _healthy(store.looks(run), {name: meant[name] for name in rows}, fleet.job, now)
    return tuple(_carried(rows[name]) for name in healthy)


def _is_of(row: StoredRow, meant: dict[str, Server]) -> bool:
    """Whether a row is of a wanted server at the same address, examined by that run itself."""
    server = meant.get(row.report.name)
    return (
        server is not None
        and str(server.address) == row.report.address
        and row.report.verdict == "healthy"
        and row.report.executions > 0
    )


def _healthy(
    looks: Iterator[dict[str, Any]], servers: dict[str, Server], job: Job, now: datetime
) -> Iterator[str]:
    """The servers whose facts, as that run saw them, are healthy by the rules of this run."""
    for name, of_server in groupby(looks, itemgetter("server")):
        if name not in servers:
            continue
        seen: dict[str, Any] = {}
        for look in of_server:
            seen.update(look["facts"])  # after steps only what they may change is asked again
        try:
            facts = read_facts(seen, None)
        except AnswerError:  # of another version
            continue
        if judge_facts(servers[name], facts, job, now).report.verdict == "healthy":
            yield name


def _carried(row: StoredRow) -> ServerReport:
    """The row for this run: nothing was done, and since when it is valid."""
    return msgspec.structs.replace(
        row.report,
        plan=(),
        results=(),
        resolved=(),
        reason=say("verified by run {run} at {at}; skipped", run=row.run, at=row.at),
        executions=0,
        elapsed_s=0.0,
    )
