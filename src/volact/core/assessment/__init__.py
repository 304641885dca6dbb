"""Everything derived from facts and context that more than one rule needs, worked out once.

One frozen value: rules, the planner, refusals and the verdict read it, and none
of them derives the same thing again.  Each topic has a module of its own, which
reads facts, the context and the topics before it.  What to call wrong is not
decided here.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from volact.core.assessment.attempts import AttemptState, attempts_of
from volact.core.assessment.clock import ClockState, clock_of
from volact.core.assessment.entitlement import EntitlementState, entitlement_of
from volact.core.assessment.kms import KmsState, kms_of
from volact.core.assessment.kms_setting import kms_layers
from volact.core.assessment.licence import LicenceState, ProductState, licence_of
from volact.core.assessment.network import NetworkState, network_of
from volact.core.assessment.renewal import Licensed, RenewalState
from volact.core.assessment.rights import LostRight, lost_rights
from volact.core.assessment.service import ServiceState, service_of
from volact.core.assessment.system import SystemState, console_of, system_of
from volact.core.console import Console
from volact.core.context import Context
from volact.model.fact import Known
from volact.model.facts import Facts, ServiceFact
from volact.model.step import StepResult

# By whom a server is licensed, if at all.
# accepted: licensed by one of the provider's KMS hosts.
# other: licensed, but not by one of those.  none: known not to be licensed.
# unknown: a fact that decides it could not be read.
LicenceStanding = Literal["accepted", "other", "none", "unknown"]


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """One server as the rules see it.

    ``facts``, ``ctx`` and ``results`` are what it was worked out from; a rule
    that alone needs a fact reads it there.  ``services`` has those whose state is known.
    ``console`` has the licensing commands that
    run on this server.
    """

    facts: Facts
    ctx: Context
    results: tuple[StepResult, ...]
    system: SystemState
    clock: ClockState
    service: ServiceState
    services: dict[str, ServiceFact]
    licence: LicenceState
    kms: KmsState
    network: NetworkState
    entitlement: EntitlementState
    attempts: AttemptState
    renewal: RenewalState
    lost_rights: tuple[LostRight, ...]
    standing: LicenceStanding
    console: Console

    @property
    def licensed_by_accepted(self) -> bool:
        """Whether the provider's own KMS host has licensed this server, for certain."""
        return self.standing == "accepted"


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
    console, system = console_of(facts), system_of(facts, ctx)
    layers = kms_layers(facts)
    licence = licence_of(facts, layers)
    kms = kms_of(facts, ctx, system, layers, licence)
    attempts = attempts_of(facts, results, ctx.knowledge.errors)
    standing = _standing_of(licence, kms)
    licensed = Licensed(
        now=ctx.now,
        results=results,
        sku=system.sku,
        licence=licence,
        kms=kms,
        attempts=attempts,
        accepted=standing == "accepted",
    )
    return Assessment(
        facts=facts,
        ctx=ctx,
        results=results,
        system=system,
        clock=clock_of(facts),
        service=service_of(facts, ctx, system),
        services={n: fact.value for n, fact in facts.services.items() if isinstance(fact, Known)},
        licence=licence,
        kms=kms,
        network=network_of(facts, ctx, system, kms),
        entitlement=entitlement_of(facts, ctx, system),
        attempts=attempts,
        renewal=licensed.renewal,
        lost_rights=lost_rights(facts, system),
        standing=standing,
        console=console,
    )


def _standing_of(licence: LicenceState, kms: KmsState) -> LicenceStanding:
    """By whom Windows is licensed on this server."""
    if licence.undetermined:
        return "unknown"  # such a product may be what licenses it, or what does not
    if licence.unlicensed or (licence.products_known and not licence.subjects):
        return "none"
    if not licence.all_licensed:
        return "unknown"
    found = {_of_product(product, kms) for product in licence.subjects}
    return "unknown" if "unknown" in found else "other" if "other" in found else "accepted"


def _of_product(product: ProductState, kms: KmsState) -> LicenceStanding:
    """By whom one licensed product is licensed."""
    if not product.is_client or product.by_kms is False:
        return "other"
    if product.by_kms is None:
        return "unknown"
    if kms.by_dns:
        return "accepted"  # the provider leaves the choice of the host to DNS
    if not isinstance(product.kms, Known):
        return "unknown"
    return "accepted" if kms.is_the_providers(product.kms.value.host) else "other"
