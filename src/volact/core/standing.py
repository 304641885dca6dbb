"""Where a server stands with its licence: by whom it is licensed, if at all."""

from __future__ import annotations

from typing import Literal

from volact.core.context import Context
from volact.core.kms import accepted_hosts, is_accepted_name, is_pinned, serving
from volact.core.licensing import all_licensed, by_directory, channel_of, subjects, unlicensed
from volact.model.fact import Known
from volact.model.facts import Facts, Product

# accepted: licensed by one of the provider's KMS hosts.
# other: licensed, but not by one of those.  none: known not to be licensed.
# unknown: a fact that says so could not be read.
Standing = Literal["accepted", "other", "none", "unknown"]


def standing(facts: Facts, ctx: Context) -> Standing:
    """By whom Windows is licensed on this server."""
    if unlicensed(facts) or (isinstance(facts.products, Known) and not subjects(facts)):
        return "none"
    if not all_licensed(facts):
        return "unknown"
    found = {_standing(facts, product, ctx) for product in subjects(facts)}
    return "unknown" if "unknown" in found else "other" if "other" in found else "accepted"


def licensed_by_accepted(facts: Facts, ctx: Context) -> bool:
    """Whether the provider's own KMS host has licensed this server, for certain."""
    return standing(facts, ctx) == "accepted"


def _standing(facts: Facts, product: Product, ctx: Context) -> Standing:
    """Of one licensed product."""
    if channel_of(product) != "kms-client" or by_directory(product):
        return "other"
    if not accepted_hosts(facts, ctx) and ctx.knowledge.profile.discovery == "dns":
        return "accepted"  # the provider leaves the choice of the host to DNS
    setting = serving(facts, product)
    if not isinstance(setting, Known):
        return "unknown"
    host = setting.value.host
    accepted = is_accepted_name(host, facts, ctx) or is_pinned(host, ctx)
    return "accepted" if accepted else "other"
