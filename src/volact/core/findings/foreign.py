"""Licensed, but by whose KMS host?  Servers that came from another cloud or company.

Which host is set and by which layer is ``kms``'s topic.
"""

from __future__ import annotations

from typing import Any

from volact.core.assessment import Assessment
from volact.core.assessment.hosts import owners
from volact.core.assessment.kms_setting import KmsSetting
from volact.core.assessment.licence import ProductState
from volact.core.consent import MOVE_KMS, allow, repair_with
from volact.core.findings.kind import (
    FindingKind,
    Found,
    Place,
    error,
    evidence_field,
    on_server,
    reported,
    warning,
)
from volact.model.fact import Known, value_of
from volact.model.finding import Repair
from volact.model.profile import HostPort
from volact.model.text import Text, raw, say


def _licensed_by_other_kms(a: Assessment) -> Found | None:
    if a.licence.is_kms_host or not a.kms.accepted:
        return None
    without = _licensed_without_kms(a)
    others = [(p, s) for p, s in _licensed(a) if not a.kms.is_the_providers(s.host)]
    if without or not others:
        return without
    product, setting = min(others, key=lambda other: other[0].left_min)
    by_policy = setting.layer == "policy"
    host = a.kms.preferred
    return error(
        _summary(a, product, setting.host),
        _evidence(a, product, setting),
        repair="manual" if by_policy else moving_away(a),
        remedy=on_server(a.console.set_kms_host(host), a.console.activate()),
    )


LICENSED_BY_OTHER_KMS = FindingKind(
    id="licensed-by-other-kms",
    rule=_licensed_by_other_kms,
    place=Place.LICENCE,
    severities=("error", "warning"),
    meaning=say("Windows is licensed, but not by one of the provider's KMS hosts."),
    action=say(
        "Sets the provider's KMS host and activates; moves a server from a company's own KMS "
        "host only with --allow move-kms."
    ),
    blocks="nothing",
    calls_for="work",
    consent=allow(MOVE_KMS),
    repair_steps=None,
    detail=evidence_field("host"),
)


def _kms_host_pinned(a: Assessment) -> Found | None:
    pinned = [s for _, s in _licensed(a) if a.kms.is_pinned(s.host)]
    if not pinned or a.licence.is_kms_host:
        return None
    host, name = pinned[0].host, a.kms.preferred
    return warning(
        by_its_address(host, name)
        if a.ctx.knowledge.profile.own_hosts
        else say(
            "The KMS host is configured by its IP address, {host}; the provider may change "
            "addresses but keeps the name ({name}).",
            host=host,
            name=name,
        ),
        {"host": str(host), "expected": str(name)},
        remedy=on_server(a.console.set_kms_host(name)),
    )


KMS_HOST_PINNED = reported(
    id="kms-host-pinned",
    rule=_kms_host_pinned,
    place=Place.LICENCE,
    severities=("warning",),
    meaning=say(
        "Windows is licensed by the provider's KMS host, which is configured by IP address."
    ),
    action=say("Reports it; a name still works when the address changes."),
    blocks="nothing",
    detail=None,
)


def by_its_address(host: HostPort, name: HostPort) -> Text:
    """That the host of this name is set by an address."""
    return say(
        "The KMS host is configured by its IP address, {host}, not by its name ({right}).",
        host=host,
        right=name,
    )


def moving_away(a: Assessment) -> Repair:
    """Whether a foreign KMS host may be replaced without consent.

    A server that a company's own host licenses has a licence that works, and
    most likely one that the company has paid for: it is taken over only with the
    operator's consent, or by the provider's KMS hosts where the provider's licence is known
    to cover it.  One that comes from another cloud cannot go on using that cloud's host.
    Where Windows contacts no KMS host, none is set.
    """
    if a.licence.kept_from_kms:
        return "manual"
    if a.entitlement.entitled or not any(_by_unknown_owner(a, p) for p in a.licence.clients):
        return "automatic"
    return repair_with(MOVE_KMS, a.ctx)


def _by_unknown_owner(a: Assessment, product: ProductState) -> bool:
    """Licensed, or not known not to be, by a host not known to be the provider's or a cloud's."""
    if product.licensed is False:
        return False
    setting = value_of(product.kms)
    if setting is None:
        return product.by_kms is not False  # some host has licensed it all the same
    return not a.kms.is_the_providers(setting.host) and not owners(setting.host, a.ctx.clouds)


def whose(a: Assessment, host: HostPort) -> Text | None:
    """The clouds whose host it is, in words; ``None``: no known owner."""
    found: Text | None = None
    for cloud in owners(host, a.ctx.clouds):
        name = raw(cloud.title)
        found = name if found is None else say("{one} or {other}", one=found, other=name)
    return found


def _licensed(a: Assessment) -> list[tuple[ProductState, KmsSetting]]:
    """The licensed KMS clients, each with the host that licenses it, where that is known."""
    return [
        (product, setting.value)
        for product in a.licence.clients
        if product.licensed and product.by_kms and isinstance(setting := product.kms, Known)
    ]


def _summary(a: Assessment, product: ProductState, host: HostPort) -> Text:
    name, profile = whose(a, host), a.ctx.knowledge.profile
    by = host if name is None else say("{host} of {cloud}", host=host, cloud=name)
    ends = product.ends(a.ctx.now)
    until = (
        say("without that host the licence ends on {date}", date=ends[:10])
        if ends
        else say("the licence ends when that host stops answering")
    )
    if profile.own_hosts:
        return say(
            "Windows is licensed by {host}, not by the KMS host named with --kms-host ({right}); "
            "{until}.",
            host=by,
            right=a.kms.preferred,
            until=until,
        )
    return say(
        "Windows is licensed by {host}, not by a KMS host of {provider}; {until}.",
        host=by,
        provider=profile.title,
        until=until,
    )


def _evidence(a: Assessment, product: ProductState, setting: KmsSetting) -> dict[str, Any]:
    return {
        "host": str(setting.host),
        "layer": setting.layer,
        "source": a.kms.origin_of(setting, product),
        "clouds": [cloud.name for cloud in owners(setting.host, a.ctx.clouds)],
        "provider": a.ctx.knowledge.profile.name,
        "left_min": value_of(product.facts.grace_min),
        "ends": product.ends(a.ctx.now) or None,
    }


def _licensed_without_kms(a: Assessment) -> Found | None:
    """Licensed by Active Directory or a token: the choice of its owner, left alone."""
    licensed = [product for product in a.licence.clients if product.licensed]
    if any(product.by_directory for product in licensed):
        return _by_directory(a)
    return _by_token(a) if any(product.by_token for product in licensed) else None


def _by_directory(a: Assessment) -> Found:
    return warning(
        say("Windows is licensed through Active Directory, not by the provider's KMS host.")
        if not a.ctx.knowledge.profile.own_hosts
        else say(
            "Windows is licensed through Active Directory, not by the KMS host named with "
            "--kms-host ({right}).",
            right=a.kms.preferred,
        ),
        {"host": "", "layer": "directory"},
        remedy=say("Nothing to do if Active Directory is meant to license this server."),
    )


def _by_token(a: Assessment) -> Found:
    return warning(
        say("Windows is licensed by a token, not by the provider's KMS host.")
        if not a.ctx.knowledge.profile.own_hosts
        else say(
            "Windows is licensed by a token, not by the KMS host named with --kms-host ({right}).",
            right=a.kms.preferred,
        ),
        {"host": "", "layer": "token"},
        remedy=say("Nothing to do if a token is meant to license this server."),
    )
