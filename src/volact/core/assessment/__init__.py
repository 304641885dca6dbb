"""Everything derived from facts and context that more than one rule needs, worked out once.

One frozen value: rules, the planner, refusals and the verdict read it, and none
of them derives the same thing again.  Each topic has a module of its own, which
reads facts, the context and the topics before it.  What to call wrong is not
decided here.
"""

from __future__ import annotations

import msgspec

from volact.core.assessment.attempts import AttemptState, attempts_of
from volact.core.assessment.clock import ClockState, clock_of
from volact.core.assessment.entitlement import EntitlementState, entitlement_of
from volact.core.assessment.kms import KmsState, kms_of
from volact.core.assessment.kms_setting import kms_layers
from volact.core.assessment.licence import LicenceState, licence_of
from volact.core.assessment.network import NetworkState, network_of
from volact.core.assessment.rights import LostRight, lost_rights
from volact.core.assessment.service import ServiceState, find_service, service_of
from volact.core.assessment.standing import Standing, standing_of
from volact.core.assessment.system import SystemState, console_of, system_of
from volact.core.console import Console
from volact.core.context import Context
from volact.model.facts import Facts, ServiceFact
from volact.model.step import StepResult


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """One server as the rules see it.

    ``facts``, ``ctx`` and ``results`` are what it was worked out from; a rule
    that alone needs a fact reads it there.  ``console`` has the licensing commands that
    run on this server.
    """

    facts: Facts
    ctx: Context
    results: tuple[StepResult, ...]
    system: SystemState
    clock: ClockState
    service: ServiceState
    licence: LicenceState
    kms: KmsState
    network: NetworkState
    entitlement: EntitlementState
    attempts: AttemptState
    lost_rights: tuple[LostRight, ...]
    standing: Standing
    console: Console

    @property
    def licensed_by_accepted(self) -> bool:
        """Whether the provider's own KMS host has licensed this server, for certain."""
        return self.standing == "accepted"

    def find_service(self, name: str) -> ServiceFact | None:
        """State and start mode of a service, ``None`` when absent or unreadable."""
        return find_service(self.facts, name)


def assess(facts: Facts, ctx: Context, results: tuple[StepResult, ...] = ()) -> Assessment:
    """Work out what the rules need to know of one server.

    Args:
        facts: what the server answered.
        ctx: what is known of its provider, what the person allows, and the time.
        results: those of the steps that were just applied: their HRESULTs say
            better than any fact why an activation failed.

    Returns:
        The assessment that ``diagnose``, ``make_plan`` and ``verify`` read.

    Example:
        >>> a = assess(read_facts(answer.facts, clock), ctx)
        >>> a.licence.all_licensed, a.clock.skew_s
        (True, 0)
    """
    system, layers = system_of(facts, ctx), kms_layers(facts)
    licence = licence_of(facts, layers)
    kms = kms_of(facts, ctx, system, layers, licence)
    return Assessment(
        facts=facts,
        ctx=ctx,
        results=results,
        system=system,
        clock=clock_of(facts),
        service=service_of(facts, ctx, system),
        licence=licence,
        kms=kms,
        network=network_of(facts, ctx, system, kms),
        entitlement=entitlement_of(facts, ctx, system),
        attempts=attempts_of(facts, results),
        lost_rights=lost_rights(facts, system),
        standing=standing_of(licence, kms),
        console=console_of(facts),
    )
