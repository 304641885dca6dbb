"""Licensed, but by whose KMS host?  Servers that came from another cloud or company.

Which host is set and by which layer is ``kms``'s topic.
"""

from __future__ import annotations

from typing import Any

from volact.core import shell
from volact.core.consent import MOVE_KMS, repair_with
from volact.core.diagnose.case import Case, error, on_server, warning
from volact.core.diagnose.entitlement import is_entitled
from volact.core.kms import (
    Setting,
    accepted_hosts,
    is_accepted_name,
    is_pinned,
    origin_of,
    preferred_host,
    serving,
)
from volact.core.licensing import (
    by_directory,
    ends_at,
    is_kms_host,
    is_licensed,
    is_unlicensed,
    kms_clients,
)
from volact.core.owners import owners
from volact.model.fact import Known, value_of
from volact.model.facts import Product
from volact.model.finding import Finding, Repair
from volact.model.profile import HostPort
from volact.model.text import Text, raw, say


def licensed_by_other_kms(case: Case) -> Finding | None:
    """Licensed, but by a KMS host that is not the provider's."""
    if is_kms_host(case.facts) or not accepted_hosts(case.facts, case.ctx):
        return None
    directory = _licensed_by_directory(case)
    others = [(p, s) for p, s in _licensed(case) if not _is_the_providers(case, s)]
    if directory or not others:
        return directory
    product, setting = min(others, key=lambda other: value_of(other[0].grace_min) or 0)
    by_policy = setting.layer == "policy"
    host = preferred_host(case.facts, case.ctx)
    return error(
        "licensed-by-other-kms",
        _summary(case, product, setting.host),
        _evidence(case, product, setting),
        repair="manual" if by_policy else moving_away(case),
        remedy=on_server(f"{shell.set_kms_host(host)}; {shell.activate()}"),
    )


def kms_host_pinned(case: Case) -> Finding | None:
    """Licensed by one of the provider's KMS hosts that is set by its address."""
    pinned = [s for _, s in _licensed(case) if is_pinned(s.host, case.ctx)]
    if not pinned or is_kms_host(case.facts):
        return None
    host, name = pinned[0].host, preferred_host(case.facts, case.ctx)
    return warning(
        "kms-host-pinned",
        say(
            "The KMS host is set by its address, {host}; the provider moves its addresses "
            "and keeps its names ({name}).",
            host=host,
            name=name,
        ),
        {"host": str(host), "expected": str(name)},
        remedy=on_server(shell.set_kms_host(name)),
    )


def moving_away(case: Case) -> Repair:
    """Whether a foreign KMS host may be given up without asking.

    A server that a company's own host licenses has a licence that works, and
    most likely one that the company has paid for: it is taken over only with the
    person's word, or where the provider's licence is known to cover it.  One
    that comes from another cloud cannot go on using that cloud's host.
    """
    if is_entitled(case) or not any(_by_nobody_known(case, p) for p in kms_clients(case.facts)):
        return "automatic"
    return repair_with(MOVE_KMS, case.ctx)


def _by_nobody_known(case: Case, product: Product) -> bool:
    """Licensed, or not known not to be, by a host that is neither the provider's nor a cloud's."""
    setting = value_of(serving(case.facts, product))
    if setting is None or is_unlicensed(product):
        return False
    return not _is_the_providers(case, setting) and not owners(setting.host, case.ctx.clouds)


def whose(case: Case, host: HostPort) -> Text | None:
    """The clouds whose host it is, in words; ``None``: nobody's that is known."""
    found: Text | None = None
    for cloud in owners(host, case.ctx.clouds):
        name = raw(cloud.title)
        found = name if found is None else say("{one} or {other}", one=found, other=name)
    return found


def _licensed(case: Case) -> list[tuple[Product, Setting]]:
    """The licensed KMS clients, each with the host that licenses it, where that is known."""
    return [
        (product, setting.value)
        for product in kms_clients(case.facts)
        if is_licensed(product)
        and not by_directory(product)
        and isinstance(setting := serving(case.facts, product), Known)
    ]


def _is_the_providers(case: Case, setting: Setting) -> bool:
    return is_accepted_name(setting.host, case.facts, case.ctx) or is_pinned(setting.host, case.ctx)


def _summary(case: Case, product: Product, host: HostPort) -> Text:
    name = whose(case, host)
    ends = ends_at(product, case.ctx.now)
    return say(
        "Windows is licensed by {host}, not by a KMS host of {provider}; {until}.",
        host=host if name is None else say("{host} of {cloud}", host=host, cloud=name),
        provider=case.ctx.knowledge.profile.title,
        until=say("without that host the licence ends on {date}", date=ends[:10])
        if ends
        else say("the licence ends when that host stops answering"),
    )


def _evidence(case: Case, product: Product, setting: Setting) -> dict[str, Any]:
    return {
        "host": str(setting.host),
        "layer": setting.layer,
        "source": origin_of(setting, case.facts, product),
        "clouds": [cloud.name for cloud in owners(setting.host, case.ctx.clouds)],
        "provider": case.ctx.knowledge.profile.name,
        "left_min": value_of(product.grace_min),
        "ends": ends_at(product, case.ctx.now) or None,
    }


def _licensed_by_directory(case: Case) -> Finding | None:
    """Licensed through Active Directory: the domain's own choice, left alone."""
    if not any(is_licensed(p) and by_directory(p) for p in kms_clients(case.facts)):
        return None
    return warning(
        "licensed-by-other-kms",
        say("Windows is licensed through Active Directory, not by the provider's KMS host."),
        {"host": "", "layer": "directory"},
        remedy=say("Nothing to do if the domain is meant to license this server."),
    )
