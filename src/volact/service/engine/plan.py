"""What a run's specification means: its servers, its job, its limits.  No server is contacted."""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import msgspec

from volact.client.wire import RunSpec
from volact.core.consent import ASKING_STEPS
from volact.core.steps import UNDO_CONSENT_STEPS
from volact.errors import InputError, NoServersError
from volact.fleet import Canary, Rate, Share
from volact.fleet.canary import choose_canaries
from volact.fleet.clones import STEP as REARM
from volact.fleet.failure_policy import FailureLimits
from volact.fleet.prepare import check_commands
from volact.fleet.runs import group_of_server
from volact.inventory import Inventory, choose, select, without_skipped
from volact.model.server import Server
from volact.model.text import raw, say
from volact.model.undo import RunHistory
from volact.pipeline import Job, Retry
from volact.pipeline.job import CHANGING
from volact.service.access import Scope
from volact.service.inventories import in_scopes

T = TypeVar("T")


class Member(msgspec.Struct, frozen=True):
    """A server of a run."""

    name: str
    label: str
    canary: bool


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The rollout rules of a specification, read."""

    canary: Canary | None = None
    max_failures: Share | None = None
    pace: Rate | None = None

    def canaries(self, servers: int) -> int:
        """How many of so many servers are canaries."""
        number = 0 if self.canary is None else self.canary.share.at_least_one(servers)
        # If all servers are canaries, none is left to be protected.
        return 0 if number >= servers else number

    def limits(self, servers: int) -> FailureLimits | None:
        """The limits for so many servers; ``None`` where no rule is set."""
        if self.canary is None and self.max_failures is None:
            return None
        most = self.max_failures
        return FailureLimits(
            canaries=self.canaries(servers),
            canary_failures=self.canary.may_fail if self.canary is not None else 0,
            failures=None if most is None else most.at_most(servers),
        )


def rules_of(spec: RunSpec) -> Rules:
    """The rules; ``InputError`` for a word that cannot be read."""
    changing = spec.verb in CHANGING
    canary = _read("canary", spec.canary, Canary.parse)
    most = _read("max_failures", spec.max_failures, Share.parse)
    return Rules(
        canary=canary if changing else None,
        max_failures=most if changing else None,
        pace=_read("pace", spec.pace, Rate.parse),
    )


def check_spec(spec: RunSpec) -> None:
    """``InputError`` for what the service refuses in a run of any servers."""
    rules_of(spec)
    known = UNDO_CONSENT_STEPS if spec.verb == "undo" else ASKING_STEPS
    if unknown := sorted(spec.policy.consent - {*known}):
        raise InputError(
            say("{step}: no such step", step=raw(unknown[0])),
            say("known: {known}", known=", ".join(known)),
        )
    if spec.verb == "activate" and REARM in spec.policy.consent:
        raise InputError(
            say("{step} is planned over all servers at once, which the service does not do",
                step=REARM),
            say("use the command line for it"),
        )  # fmt: skip


def members_of(
    spec: RunSpec,
    inventory: Inventory,
    scopes: tuple[Scope, ...] | None,
    healthy: Collection[str] = (),
    *,
    scheduled: bool = False,
) -> list[Member]:
    """The servers that are meant; ``InputError`` where none is, or one cannot be taken.

    ``only`` of a scheduled run is what its view finds, and asks for no server by its name.
    Those that were ``healthy`` when they were last seen are no canaries, unless all were.
    """
    # What is outside is not found, and so in no word about what is there.
    seen = tuple(server for server in inventory.servers if in_scopes(server, scopes))
    own = msgspec.structs.replace(inventory, servers=seen)
    words = (*spec.targets, *spec.limit, *(() if scheduled else spec.only))
    chosen, _ = without_skipped(own, selected(spec, own) if seen else (), words)
    only = frozenset(spec.only)
    servers = [server for server in chosen if not only or server.name in only]
    check_commands(inventory, servers)
    if not servers:
        # Where nothing is in reach at all, no view will ever find a server.
        error = NoServersError if seen else InputError
        raise error(say("no server of {inventory} is meant", inventory=raw(spec.inventory)))
    return _members(servers, rules_of(spec), healthy)


def selected(spec: RunSpec, inventory: Inventory) -> tuple[Server, ...]:
    """The servers that targets mean, narrowed by the limit.

    Raises ``InputError`` as ``choose``, also for an address: it is none of the inventory's.
    """
    every = choose(inventory, (), ())
    return select(select(every, spec.targets), spec.limit, every)


def _members(servers: Sequence[Server], rules: Rules, healthy: Collection[str]) -> list[Member]:
    number = rules.canaries(len(servers))
    likely = [server for server in servers if server.name not in healthy] or servers
    first, _ = choose_canaries(likely, number, group_of_server, lambda server: server.name)
    names = {server.name for server in first}
    others = [server for server in servers if server.name not in names]
    return [
        *(Member(server.name, server.worker, True) for server in first),
        *(Member(server.name, server.worker, False) for server in others),
    ]


def job_of(
    spec: RunSpec, run: str, who: str, inventory: Inventory, histories: dict[str, RunHistory]
) -> Job:
    """The job that is the same for every server."""
    return Job(
        mode=spec.verb,
        policy=spec.policy,
        images=inventory.images,
        deadline_s=spec.deadline_s,
        run=run,
        who=f"{who}@{socket.gethostname()}",
        retry=Retry(times=spec.retries),
        histories=histories,
    )


def _read(name: str, word: str, parse: Callable[[str], T]) -> T | None:
    if not word:
        return None
    try:
        return parse(word)
    except ValueError as error:
        raise InputError(say("{option}: {error}", option=name, error=error.args[0])) from error
