"""Which KMS host the server is set to, and which layer says so."""

from __future__ import annotations

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.assessment.kms_setting import Setting
from volact.core.assessment.licence import ProductState
from volact.core.diagnose.case import error, info, on_server
from volact.core.diagnose.foreign import moving_away, whose
from volact.model.fact import Absent, Known, is_known, is_unreadable, value_of
from volact.model.finding import Finding
from volact.model.profile import HostPort
from volact.model.text import Text, say


def kms_host_set_by_policy(a: Assessment) -> Finding | None:
    """Group policy names the KMS host; nothing below it has any effect."""
    policy = a.kms.policy
    if not isinstance(policy, Known) or not a.kms.applies:
        return None
    host = policy.value.host
    evidence = {"host": str(host)}
    if a.kms.is_accepted(host):
        return info(
            "kms-host-set-by-policy",
            say("Group policy sets the KMS host to {host}, which is the provider's.", host=host),
            evidence,
            remedy=say("Nothing to do."),
        )
    return error(
        "kms-host-set-by-policy",
        say("Group policy sets the KMS host to {host}, which is not the provider's.", host=host),
        evidence,
        remedy=say(
            "volact does not fight group policy. Set the policy to {host} or take it away, "
            "then on the server: {command}",
            host=a.kms.preferred,
            command="gpupdate /force",
        ),
    )


def kms_host_per_product_override(a: Assessment) -> Finding | None:
    """A product has a KMS host of its own, which hides the server's setting."""
    if not isinstance(a.kms.policy, Absent) or not a.kms.applies:
        return None
    found = [
        (product, setting.value)
        for product in a.licence.clients
        if not (product.licensed and product.by_directory)
        and isinstance(setting := product.own_kms, Known)
        and not a.kms.is_accepted(setting.value.host)
    ]
    if not found:
        return None
    hosts = [
        {"product": value_of(product.facts.id), "host": str(setting.host)}
        for product, setting in found
    ]
    commands = [shell.clear_kms_host(str(entry["product"])) for entry in hosts]
    return error(
        "kms-host-per-product-override",
        say(
            "One product has a KMS host of its own, {host}, which hides the server's setting.",
            host=hosts[0]["host"],
        ),
        {"products": hosts},
        repair=moving_away(a),
        remedy=on_server(*commands),
    )


def kms_host_wrong(a: Assessment) -> Finding | None:
    """The server is set to a KMS host that is not the provider's, or to none."""
    setting = _judged_setting(a)
    if setting is None or (isinstance(setting, Known) and _is_provider_name(a, setting.value)):
        return None
    if isinstance(setting, Known) and _licensed_by_address(a, setting.value):
        return None  # kms-host-pinned
    return error(
        "kms-host-wrong",
        _wrong_summary(a, setting),
        {
            "current": str(setting.value.host) if isinstance(setting, Known) else "",
            "accepted": [str(h) for h in a.kms.accepted],
            **_in_effect(a),
        },
        repair=moving_away(a),
        remedy=on_server(shell.set_kms_host(a.kms.preferred)),
    )


def _wrong_summary(a: Assessment, setting: Known[Setting] | Absent) -> Text:
    right = a.kms.preferred
    found = a.kms.effective
    if isinstance(setting, Absent) and found is None:
        return say("No KMS host is set; the provider's is {right}.", right=right)
    if isinstance(setting, Absent) and found is not None:
        return say(
            "No KMS host is set, and DNS leads to {host}; the provider's is {right}.",
            host=found.host,
            right=right,
        )
    host = setting.value.host if isinstance(setting, Known) else right
    name = whose(a, host)
    if a.kms.is_pinned(host):
        return say(
            "The KMS host is set by its address, {host}, not by its name ({right}).",
            host=host,
            right=right,
        )
    return say(
        "The KMS host is {host}, which is not the provider's ({right}).",
        host=host if name is None else say("{host} of {cloud}", host=host, cloud=name),
        right=right,
    )


def _in_effect(a: Assessment) -> dict[str, str]:
    """The host in use and how it came to be used; the layer to mend is the service's."""
    found = a.kms.effective
    if found is None:
        return {}
    origin = a.kms.origin_of(found, a.licence.main)
    return {"effective": str(found.host), "source": origin}


def _licensed_by_address(a: Assessment, setting: Setting) -> bool:
    return a.kms.is_pinned(setting.host) and a.licence.all_licensed


def kms_port_wrong(a: Assessment) -> Finding | None:
    """The name is the provider's, the port is not."""
    setting = _judged_setting(a)
    if not isinstance(setting, Known) or not _is_provider_name(a, setting.value):
        return None
    host = setting.value.host
    if a.kms.is_accepted(host):
        return None
    misprint = host.port in a.ctx.knowledge.profile.misprinted_ports
    right = _with_right_port(a, host)
    said = say(
        "The KMS host {host} is set with port {port}, not {right}.",
        host=host.host,
        port=host.port,
        right=right.port,
    )
    return error(
        "kms-port-wrong",
        say("{what} The provider's page has it misprinted.", what=said) if misprint else said,
        {"current": str(host), "port": host.port, "expected": right.port, "misprint": misprint},
        repair="automatic",
        remedy=on_server(shell.set_kms_host(right)),
    )


def _judged_setting(a: Assessment) -> Known[Setting] | Absent | None:
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
    if product.licensed and product.by_directory:
        return False  # the domain licenses it, and its KMS host is a fallback of the domain's
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
    if not product.licensed or product.by_directory:
        return False
    has_type = not a.system.before_2012
    if has_type and is_unreadable(product.facts.vl_type):
        return False  # it may be licensed by the directory
    setting = product.kms
    if is_unreadable(setting):
        return False
    return not (is_known(setting) and _is_provider_name(a, value_of(setting)))


def _is_provider_name(a: Assessment, setting: Setting | None) -> bool:
    return setting is not None and a.kms.is_accepted_name(setting.host)


def _with_right_port(a: Assessment, host: HostPort) -> HostPort:
    plain = host.host.lower().rstrip(".")
    hosts = a.kms.accepted
    return next((h for h in hosts if h.host.lower() == plain), hosts[0])
