"""Findings that only show across many servers."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping

from volact.core.assessment import Assessment
from volact.core.assessment.system import console_of
from volact.core.consent import allow
from volact.core.console import Console
from volact.core.findings.kind import FindingKind, Found, Place, warning
from volact.core.steps.params import StepParams
from volact.core.steps.rearm import REARM, Rearm
from volact.model.fact import value_of
from volact.model.facts import Facts
from volact.model.finding import Finding
from volact.model.text import count, listed, say, typed


def duplicate_cmids(fleet: Mapping[str, Facts]) -> dict[str, Finding]:
    """``duplicate-cmid`` for every server that shares its client machine ID.

    A KMS host counts machine IDs: clones that share one count once.  One server that
    is listed under two names has the same addresses under both, and is no clone.
    """
    by_id: dict[str, dict[str, Hashable]] = {}
    for name, facts in fleet.items():
        cmid = value_of(facts.licensing.cmid)
        if cmid:
            addresses: tuple[str, ...] = value_of(facts.addresses) or ()
            by_id.setdefault(cmid.lower(), {})[name] = machine_of(name, addresses)
    return {
        name: DUPLICATE_CMID.finding(_found(cmid, others, console_of(fleet[name])))
        for cmid, machines in by_id.items()
        for name, own in machines.items()
        if (others := sorted(other for other, machine in machines.items() if machine != own))
    }


def machine_of(name: str, addresses: Collection[str]) -> Hashable:
    """The same value for the same machine: all of its own addresses, else its name."""
    return frozenset(addresses) or name


def _found(cmid: str, others: list[str], console: Console) -> Found:
    return warning(
        count(
            len(others),
            "The client machine ID (CMID) is shared with {n} other server ({names}).",
            "The client machine ID (CMID) is shared with {n} other servers ({names}).",
            names=listed(others[:5]),
        ),
        {"cmid": cmid, "servers": others},
        remedy=say(
            "The image was not generalised. This does not affect a provider's KMS host. For your "
            "own KMS host: read the remaining rearm count, then on the server: {command}, restart, "
            "activate.",
            command=typed(console.rearm()),
        ),
    )


def rearm(a: Assessment) -> Iterator[StepParams]:
    """A machine ID of its own, where more than one rearm is left."""
    if (value_of(a.facts.licensing.rearm) or 0) > 1:
        yield Rearm()


DUPLICATE_CMID = FindingKind(
    id="duplicate-cmid",
    rule=None,
    place=Place.FLEET,
    severities=("warning",),
    meaning=say(
        "Several servers share one client machine ID (CMID), because their image was not "
        "generalised."
    ),
    action=say(
        "Rearms those that a KMS host does not count, with --allow rearm; you restart the servers."
    ),
    blocks="nothing",
    calls_for="nothing",
    consent=allow(REARM.name),
    repair_steps=rearm,
    detail=None,
)
