"""Which KMS host the server is set to, and by which layer."""

from __future__ import annotations

from collections.abc import Iterator

from volact.core.assessment import Assessment
from volact.core.assessment.hosts import plain_name
from volact.core.assessment.kms_setting import KmsSetting
from volact.core.assessment.licence import ProductState
from volact.core.consent import MOVE_KMS, allow
from volact.core.findings.foreign import by_its_address, moving_away, whose
from volact.core.findings.kind import (
    FindingKind,
    Found,
    Place,
    error,
    evidence_field,
    on_server,
)
from volact.core.findings.shared_repairs import certain_reach, set_kms_host
from volact.core.steps.kms_hosts import ClearKmsHost
from volact.core.steps.params import StepParams
from volact.model.fact import Absent, Known, is_known, is_unreadable, value_of
from volact.model.profile import HostPort
from volact.model.text import Text, say


def _kms_host_per_product_override(a: Assessment) -> Found | None:
    hosts = [
        {"product": value_of(product.facts.id), "host": str(host)} for product, host in overrides(a)
    ]
    if not hosts:
        return None
    commands = [a.console.clear_kms_host(str(entry["product"])) for entry in hosts]
    return error(
        say(
            "A product has its own KMS host, {host}, which overrides the server's setting.",
            host=hosts[0]["host"],
        ),
        {"products": hosts},
        repair=moving_away(a),
        remedy=on_server(*commands),
    )


def overrides(a: Assessment) -> Iterator[tuple[ProductState, HostPort]]:
    """Products with a KMS host of their own that is to be removed."""
    if not isinstance(a.kms.policy, Absent) or not a.kms.applies:
        return
    for product in a.licence.clients:
        own = product.own_kms
        if not isinstance(own, Known) or a.kms.is_accepted(own.value.host):
            continue
        kept = product.by_kms is not True or a.kms.is_pinned(own.value.host)
        if product.licensed is False or not kept:
            yield product, own.value.host


def _clear_overrides(a: Assessment) -> Iterator[StepParams]:
    """Take away products' own KMS hosts that are not the provider's."""
    certain = certain_reach(a)
    if not (certain or a.kms.on_trial):
        return
    for product, _ in overrides(a):
        if id := value_of(product.facts.id):
            yield ClearKmsHost(layer="product", product=id, unproven=not certain)


KMS_HOST_PER_PRODUCT_OVERRIDE = FindingKind(
    id="kms-host-per-product-override",
    rule=_kms_host_per_product_override,
    place=Place.KMS_SETTING,
    severities=("error",),
    meaning=say("A product has its own KMS host, which overrides the server's setting."),
    action=say("Removes the product's own setting."),
    blocks="activation",
    calls_for="activation",
    consent=allow(MOVE_KMS),
    repair_steps=_clear_overrides,
    detail=None,
)


def kms_host_wrong(a: Assessment) -> Found | None:
    """The configured KMS host is not the provider's, or none is configured."""
    setting = _judged_setting(a)
    if setting is None or (isinstance(setting, Known) and _is_provider_name(a, setting.value)):
        return None
    if isinstance(setting, Known) and _licensed_by_address(a, setting.value):
        return None  # kms-host-pinned
    return error(
        _wrong_summary(a, setting),
        {
            "current": str(setting.value.host) if isinstance(setting, Known) else "",
            "accepted": [str(h) for h in a.kms.accepted],
            **_in_effect(a),
        },
        repair=moving_away(a),
        remedy=on_server(a.console.set_kms_host(a.kms.preferred)),
    )


KMS_HOST_WRONG = FindingKind(
    id="kms-host-wrong",
    rule=kms_host_wrong,
    place=Place.KMS_SETTING,
    severities=("error",),
    meaning=say("The configured KMS host is not the provider's, or none is configured."),
    action=say("Sets the first of the provider's KMS hosts that the server can reach."),
    blocks="activation",
    calls_for="activation",
    consent=allow(MOVE_KMS),
    repair_steps=set_kms_host,
    detail=evidence_field("current"),
)


def _wrong_summary(a: Assessment, setting: Known[KmsSetting] | Absent) -> Text:
    right, own = a.kms.preferred, a.ctx.knowledge.profile.own_hosts
    if isinstance(setting, Absent):
        return _none_set(right, a.kms.effective, own=own)
    host = setting.value.host
    name = whose(a, host)
    if a.kms.is_pinned(host):
        return by_its_address(host, right)
    words = {
        "host": host if name is None else say("{host} of {cloud}", host=host, cloud=name),
        "right": right,
    }
    if own:
        return say("The KMS host is {host}, not the one named with --kms-host ({right}).", **words)
    return say("The KMS host is {host}, which is not the provider's ({right}).", **words)


def _none_set(right: HostPort, found: KmsSetting | None, *, own: bool) -> Text:
    if found is None and own:
        return say(
            "No KMS host is configured; the one named with --kms-host is {right}.", right=right
        )
    if found is None:
        return say("No KMS host is configured; the provider's is {right}.", right=right)
    words = {"host": found.host, "right": right}
    if own:
        return say(
            "No KMS host is configured, and DNS gives {host}; the one named with --kms-host is "
            "{right}.",
            **words,
        )
    return say(
        "No KMS host is configured, and DNS gives {host}; the provider's is {right}.", **words
    )


def _in_effect(a: Assessment) -> dict[str, str]:
    """The host in use and how it came to be used; the layer to repair is the service's."""
    found = a.kms.effective
    if found is None:
        return {}
    origin = a.kms.origin_of(found, a.licence.main)
    return {"effective": str(found.host), "source": origin}


def _licensed_by_address(a: Assessment, setting: KmsSetting) -> bool:
    return a.kms.is_pinned(setting.host) and a.licence.all_licensed


def _kms_port_wrong(a: Assessment) -> Found | None:
    setting = _judged_setting(a)
    if not isinstance(setting, Known) or not _is_provider_name(a, setting.value):
        return None
    host = setting.value.host
    if a.kms.is_accepted(host):
        return None
    misprint = is_misprinted(a, host)
    right = with_right_port(a, host)
    said = say(
        "The KMS host {host} is configured with port {port} instead of {right}.",
        host=host.host,
        port=host.port,
        right=right.port,
    )
    return error(
        misprint_told(said) if misprint else said,
        {"current": str(host), "port": host.port, "expected": right.port, "misprint": misprint},
        repair="manual" if a.licence.kept_from_kms else "automatic",
        remedy=on_server(a.console.set_kms_host(right)),
    )


KMS_PORT_WRONG = FindingKind(
    id="kms-port-wrong",
    rule=_kms_port_wrong,
    place=Place.KMS_SETTING,
    severities=("error",),
    meaning=say(
        "The KMS host name is right but the port is wrong; 1668 is a known misprint of 1688."
    ),
    action=say("Sets the right port."),
    blocks="activation",
    calls_for="activation",
    consent="",
    repair_steps=set_kms_host,
    detail=evidence_field("current"),
)


def _judged_setting(a: Assessment) -> Known[KmsSetting] | Absent | None:
    """The server-wide setting where it may be judged; ``None``: leave it alone.

    Left alone: policy decides, a product's own accepted host decides, a layer
    cannot be read, or nothing is set and DNS finds an accepted host.
    """
    if not isinstance(a.kms.policy, Absent) or not a.kms.applies:
        return None
    products: tuple[ProductState | None, ...] = a.licence.clients or (None,)
    if not any(_service_counts(a, product) for product in products):
        return None
    setting = a.kms.service
    if isinstance(setting, Known):
        return setting
    if isinstance(setting, Absent) and any(_needs_host(a, p) for p in products):
        return setting
    return None


def _service_counts(a: Assessment, product: ProductState | None) -> bool:
    """Whether the server-wide setting is, or is about to be, this product's."""
    if product is None:
        return True
    if product.licensed is not False and product.by_kms is not True:
        return False  # the domain or a token licenses it, or may: its KMS host is a fallback
    own = product.own_kms
    if isinstance(own, Known):
        return not a.kms.is_accepted(own.value.host)
    return isinstance(own, Absent)


def _needs_host(a: Assessment, product: ProductState | None) -> bool:
    """Whether a product without an explicit host lacks one.

    A licensed product whose host was discovered needs none if it is accepted.
    """
    if product is None or product.licensed is False:
        return True
    if not product.licensed or product.by_kms is not True:
        return False
    setting = product.kms
    if is_unreadable(setting):
        return False
    return not (is_known(setting) and _is_provider_name(a, value_of(setting)))


def _is_provider_name(a: Assessment, setting: KmsSetting | None) -> bool:
    return setting is not None and a.kms.is_accepted_name(setting.host)


def with_right_port(a: Assessment, host: HostPort) -> HostPort:
    """The provider's host of this name, in its own spelling rather than in another."""
    spelled = [one for one in a.kms.accepted if plain_name(one.host) == plain_name(host.host)]
    return (*spelled, *a.kms.accepted_as(host), *a.kms.accepted)[0]


def is_misprinted(a: Assessment, host: HostPort) -> bool:
    """Whether the port is one that the provider's page gives by mistake."""
    return host.port in a.ctx.knowledge.profile.misprinted_ports


def misprint_told(said: Text) -> Text:
    """A sentence about such a port."""
    return say("{what} It is a misprint on the provider's page.", what=said)
