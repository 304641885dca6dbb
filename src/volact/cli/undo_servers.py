"""Which of the given servers are those that a run changed, and why others are left alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from volact.model.report import ErrorRow, ServerReport
from volact.model.server import Server
from volact.model.text import Text, raw, say
from volact.model.undo import RunHistory


@dataclass(frozen=True, kw_only=True)
class ChangedServer:
    """A server that a run sent steps to; none are in the history where they were not stored."""

    name: str
    address: str
    history: RunHistory


class ServerPairs:
    """For each server that the run changed, the given ones that may be it.

    Args:
        changed: the servers that the run changed, by name.
        servers: the given ones.
        named: names in the run that the command line means, where the given servers are addresses.
        by_name: the given servers have names of an inventory: the same name is the same server.
    """

    def __init__(
        self,
        changed: Mapping[str, ChangedServer],
        servers: Iterable[Server],
        *,
        named: Collection[str] = (),
        by_name: bool,
    ) -> None:
        self.changed = changed
        self.found: dict[str, list[Server]] = {name: [] for name in changed}
        at: dict[str, list[str]] = {}
        for one in changed.values():
            at.setdefault(one.address, []).append(one.name)
        for server in servers:
            own = [server.name] if server.name in changed else []
            there = at.get(str(server.address), [])
            meant = [name for name in there if name in named]
            for name in (by_name and own) or meant or there or own:
                self.found[name].append(server)
        for name, found in self.found.items():
            # One that has both its name and its address is that server.
            exact = (name, changed[name].address)
            same = [server for server in found if (server.name, str(server.address)) == exact]
            self.found[name] = same or found
        self._sharing = _sharing(self.found)

    def to_undo(self, name: str) -> Server | None:
        """The one server that it is; ``None`` where that is not certain, or nothing is stored."""
        found = self.found[name]
        certain = len(found) == 1 and name not in self._sharing
        return found[0] if certain and self.changed[name].history.steps else None

    def left_out(self, run: str, *, whole: bool) -> Iterator[ServerReport]:
        """A row for each server that is meant and not undone; those not given where all are."""
        for name, found in self.found.items():
            if self.to_undo(name) is not None or not (found or whole):
                continue
            one = self.changed[name]
            yield ServerReport(
                name=one.name,
                address=one.address,
                provider=one.history.provider or None,
                verdict="not-started",
                error=ErrorRow(kind="not-begun", message=self._why_left_out(run, one)),
            )

    def _why_left_out(self, run: str, one: ChangedServer) -> Text:
        found = self.found[one.name]
        if not one.history.steps:
            return say(
                "run {run} changed this server, but its steps are not in the store: volact cannot "
                "undo them",
                run=run,
            )
        if len(found) > 1:
            return say(
                "run {run} changed this server, which may be any of {names}: choose one of them "
                "with --limit",
                run=run,
                names=raw(", ".join(server.name for server in found)),
            )
        if found:
            return say(
                "run {run} changed several servers with this address, which may be any of "
                "{names}: give one of these names, without an inventory or with one that has it",
                run=run,
                names=raw(", ".join(self._sharing[one.name])),
            )
        return say(
            "run {run} changed this server, but it is not in the selection: give its inventory "
            "with -i, or its address",
            run=run,
        )


def _sharing(pairs: Mapping[str, list[Server]]) -> dict[str, list[str]]:
    """For each name in the run whose server may have another name there, all of these names."""
    names: dict[str, list[str]] = {}
    for name, found in pairs.items():
        for server in found:
            names.setdefault(server.name, []).append(name)
    return {name: those for those in names.values() if len(those) > 1 for name in those}
