"""The run to undo and its servers, out of the store and the options.

What is undone, and whether it may be, is ``core.undo``'s.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import groupby

import msgspec

from volact.cli.failure import tell
from volact.cli.fleet_options import Fleet, fleet_of, target_words
from volact.cli.options.servers import FleetOptions
from volact.cli.undo_servers import ChangedServer, ServerPairs
from volact.core.context import Policy
from volact.core.steps import UNDO_CONSENT_STEPS
from volact.core.undo_history import history_of
from volact.errors import InputError
from volact.model.report import ServerReport
from volact.model.step import Intent
from volact.model.text import raw, say
from volact.model.undo import RunHistory
from volact.report.base import Invocation
from volact.report.store_reports.runs_text import run_line
from volact.store import RunRow, Store, open_store
from volact.store.address import StoreAddress, chosen

CHANGING = ("activate", "undo")
_FAR_BACK = 100  # runs that changed nothing, behind which the last one is searched


@dataclass(frozen=True, kw_only=True)
class UndoRun:
    """A run to undo: the fleet of servers that it changed, and rows for those left out."""

    run: str
    fleet: Fleet
    left_out: tuple[ServerReport, ...]
    remark: str = ""  # a note on the run for the report


def prepare_undo(run: str, options: FleetOptions, allow: Sequence[str]) -> UndoRun:
    """Find the run and its servers; ``InputError`` for the first mistake.

    Args:
        run: an id, its beginning, or ``last``.
        options: servers and how they are reached; without any, the addresses of the run.
        allow: steps that need consent.
    """
    for step in allow:
        if step not in UNDO_CONSENT_STEPS:
            known = ", ".join(UNDO_CONSENT_STEPS)
            raise InputError(
                say("--allow {step}: no such step", step=step), say("known: {known}", known=known)
            )
    row, changed = _changed(run, options.store)
    id_ = row.id
    listed = bool(options.inventory or options.from_)
    meant = options if listed else replace(options, targets=_addresses(changed, options))
    fleet = fleet_of(meant, "undo", Policy(consent=frozenset(allow)))
    words = {word for target in meant.targets for word in target.split(",")}
    named = set() if listed else _named(changed, options)
    pairs = ServerPairs(changed, fleet.servers, named=named, by_name=listed)
    paired = {str(server.address) for found in pairs.found.values() for server in found}
    if not paired:
        raise _none_of(id_, changed)
    for server in fleet.servers:
        if server.name in words and str(server.address) not in paired:
            tell(say("run {run} did not change {name}", run=id_, name=raw(server.name)))
    if run != id_:
        tell(say("run to undo: {run}", run=raw(run_line(row))))
    whole = listed and not options.targets and not options.limits
    left_out = tuple(pairs.left_out(id_, whole=whole))
    return UndoRun(
        run=id_,
        fleet=_fleet_to_undo(fleet, pairs, _how(fleet.how, id_, options, left_out)),
        left_out=left_out,
        remark=_remark(row),
    )


def _how(
    how: Invocation, run: str, options: FleetOptions, left_out: Sequence[ServerReport]
) -> Invocation:
    """With the operator's own words: an address out of the store may be several servers'."""
    return msgspec.structs.replace(
        how,
        targets=f"{run} {target_words(options)}".strip(),
        undo=run,
        left_out=frozenset(row.name for row in left_out),
    )


def _fleet_to_undo(fleet: Fleet, pairs: ServerPairs, how: Invocation) -> Fleet:
    """The fleet with the servers that are undone, by their names in the run."""
    changed = pairs.changed
    servers = tuple(
        msgspec.structs.replace(
            server, name=name, provider=server.provider or changed[name].history.provider
        )
        for name in changed
        if (server := pairs.to_undo(name)) is not None
    )
    histories = {name: one.history for name, one in changed.items()}
    job = msgspec.structs.replace(fleet.job, histories=histories)
    return msgspec.structs.replace(fleet, servers=servers, job=job, how=how)


def _remark(row: RunRow) -> str:
    if not row.pruned:
        return ""
    return say(
        "run {run} was pruned: its changes to some servers are no longer in the store",
        run=row.id,
    )


def _require_own(address: StoreAddress | None) -> None:
    """What a store says is put back on servers: so one that every user may edit is not read."""
    file = address.file if address else None
    if file is None or os.name != "posix":
        return
    for path, sticky in ((file, 0), (file.resolve().parent, stat.S_ISVTX)):
        mode = path.stat().st_mode
        if mode & stat.S_IWOTH and not mode & sticky:
            raise InputError(
                say("every account of this computer may change {path}", path=path),
                say(
                    "an undo trusts the store: compare it with a backup, then chmod o-w {path}",
                    path=path,
                ),
            )


def _changed(run: str, url: str) -> tuple[RunRow, dict[str, ChangedServer]]:
    """The run, and the servers that it sent steps to, by name."""
    store = open_store(url or None, create=False)
    if store is None:
        address = chosen(url)
        place = address.shown if address else "VOLACT_STORE=none"
        raise InputError(
            say("the store {store} is empty, so there is nothing to undo", store=place),
            say("name the store with --store"),
        )
    with store:
        _require_own(chosen(url))
        row = _find(store, run)
        if row.command not in CHANGING:
            raise InputError(
                say("run {run} was volact {command}: it changed nothing", run=row.id,
                    command=row.command),
                say("see: volact runs"),
            )  # fmt: skip
        changed = dict(_servers(store, row.id))
    if not changed:
        raise InputError(
            say("run {run} sent no steps to any server: nothing to undo", run=row.id),
            say("see: volact runs"),
        )
    return row, changed


def _find(store: Store, run: str) -> RunRow:
    """The run; ``last`` is the last one that sent steps to a server."""
    first = store.find_run(run, CHANGING)
    if run != "last":
        return first
    for before in range(_FAR_BACK):
        try:
            row = store.find_run(f"last~{before}", CHANGING)
        except InputError:
            break  # there are no earlier runs
        if row.summary.changed or next(store.intents(row.id), None) is not None:
            return row
    return first


def _servers(store: Store, run: str) -> Iterator[tuple[str, ChangedServer]]:
    """Intents come by server and then by time; only one server's are held at once.

    Where the store could not be written before the steps were sent, only the row says of them.
    """
    reports = {stored.report.name: stored.report for stored in store.rows(run)}
    by_server: Iterable[tuple[str, Iterable[Intent]]] = groupby(
        store.intents(run), key=lambda intent: intent.server
    )
    for name, intents in by_server:
        sent = tuple(intents)
        history = history_of(run, sent, reports.pop(name, None))
        yield name, ChangedServer(name=name, address=sent[-1].address, history=history)
    for name, report in reports.items():
        if report.changed:
            history = RunHistory(run=run, provider=report.provider or "")
            yield name, ChangedServer(name=name, address=report.address, history=history)


def _addresses(changed: dict[str, ChangedServer], options: FleetOptions) -> list[str]:
    """Without an inventory: the addresses that the run used."""
    words = [word for name in options.targets for word in name.split(",") if word]
    if not words:
        return [one.address for one in changed.values()]
    found: dict[str, None] = {}
    for word in words:
        named = [one.address for one in changed.values() if fnmatchcase(one.name, word)]
        if not named and "/" not in word and "@" not in word:
            raise _no_such(word, changed)
        found.update(dict.fromkeys(named or [word]))
    return [*found]


def _named(changed: dict[str, ChangedServer], options: FleetOptions) -> set[str]:
    """The servers of the run that the command line names, and not by their addresses."""
    words = [word for target in options.targets for word in target.split(",")]
    return {name for name in changed if any(fnmatchcase(name, word) for word in words)}


def _none_of(run: str, changed: dict[str, ChangedServer]) -> InputError:
    some = ", ".join([*changed][:3])
    return InputError(
        say("run {run} changed none of these servers", run=run),
        say("it changed {n}: {names}", n=len(changed), names=some),
    )


def _no_such(word: str, changed: dict[str, ChangedServer]) -> InputError:
    near = get_close_matches(word, changed, 3, 0.5)
    message = say("that run did not change {name}", name=word)
    return InputError(message, say("did you mean {names}?", names=", ".join(near)) if near else "")
