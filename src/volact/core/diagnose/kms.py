"""Which KMS host the server is set to, and which layer says so."""

from __future__ import annotations

from volact.core import shell
from volact.core.diagnose.binary import blocked_by
from volact.core.diagnose.case import Case, error, info, warning
from volact.core.diagnose.services import service_of
from volact.core.kms import (
    Setting,
    accepted_hosts,
    is_accepted,
    is_accepted_name,
    policy_setting,
    product_setting,
    reachable_hosts,
    service_setting,
    serving,
)
from volact.core.licensing import (
    by_directory,
    has_key,
    is_kms_host,
    is_licensed,
    is_unlicensed,
    kms_clients,
)
from volact.core.release import is_2008, is_2008_r2, licensing_service
from volact.model.fact import Absent, Known, is_known, is_unreadable, value_of
from volact.model.facts import Product
from volact.model.finding import Finding
from volact.model.profile import HostPort


def uses_kms(case: Case) -> bool:
    """Whether KMS settings matter here.

    They do for a KMS client and for a server that is yet to get its client key.
    """
    if is_kms_host(case.facts) or not accepted_hosts(case.facts, case.ctx):
        return False  # a provider without hosts of its own leaves it to DNS
    keyed = has_key(case.facts)
    if keyed is None:
        return False  # it may be a KMS host, or licensed by a key of its own
    return not keyed or bool(kms_clients(case.facts)) or case.ctx.policy.replace_key


def licensing_held_down(case: Case) -> bool:
    """Whether a known, mendable fault explains that licensing does not answer."""
    service = service_of(case, licensing_service(case.facts.os))
    disabled = service is not None and service.start == "Disabled"
    return disabled or blocked_by(case.facts) == "acl"


def kms_host_set_by_policy(case: Case) -> Finding | None:
    """Group policy names the KMS host; nothing below it has any effect."""
    policy = policy_setting(case.facts)
    if not isinstance(policy, Known) or not uses_kms(case):
        return None
    host = policy.value.host
    evidence = {"host": str(host)}
    if is_accepted(host, case.facts, case.ctx):
        return info(
            "kms-host-set-by-policy",
            f"Group policy sets the KMS host to {host}, which is the provider's.",
            evidence,
            remedy="Nothing to do.",
        )
    return error(
        "kms-host-set-by-policy",
        f"Group policy sets the KMS host to {host}, which is not the provider's.",
        evidence,
        remedy=f"Set the policy to {preferred(case)} or take it away, then on the server: "
        "gpupdate /force. volact does not fight group policy.",
    )


def kms_host_per_product_override(case: Case) -> Finding | None:
    """A product has a KMS host of its own, which hides the server's setting."""
    if not isinstance(policy_setting(case.facts), Absent) or not uses_kms(case):
        return None
    found = [
        (product, setting.value)
        for product in kms_clients(case.facts)
        if isinstance(setting := product_setting(case.facts, product), Known)
        and not is_accepted(setting.value.host, case.facts, case.ctx)
    ]
    if not found:
        return None
    hosts = [
        {"product": value_of(product.id), "host": str(setting.host)} for product, setting in found
    ]
    commands = "; ".join(shell.clear_kms_host(str(entry["product"])) for entry in hosts)
    return error(
        "kms-host-per-product-override",
        f"One product has a KMS host of its own, {hosts[0]['host']}, "
        "which hides the server's setting.",
        {"products": hosts},
        repair="automatic",
        remedy=f"On the server: {commands}",
    )


def kms_host_wrong(case: Case) -> Finding | None:
    """The server is set to a KMS host that is not the provider's, or to none."""
    setting = _judged_setting(case)
    if setting is None or (isinstance(setting, Known) and _is_provider_name(case, setting.value)):
        return None
    current = str(setting.value.host) if isinstance(setting, Known) else ""
    if current:
        summary = f"The KMS host is {current}, which is not the provider's ({preferred(case)})."
    else:
        summary = f"No KMS host is set; the provider's is {preferred(case)}."
    return error(
        "kms-host-wrong",
        summary,
        {"current": current, "accepted": [str(h) for h in accepted_hosts(case.facts, case.ctx)]},
        repair="automatic",
        remedy=f"On the server: {shell.set_kms_host(preferred(case))}",
    )


def kms_port_wrong(case: Case) -> Finding | None:
    """The name is the provider's, the port is not."""
    setting = _judged_setting(case)
    if not isinstance(setting, Known) or not _is_provider_name(case, setting.value):
        return None
    host = setting.value.host
    if is_accepted(host, case.facts, case.ctx):
        return None
    misprint = host.port in case.ctx.knowledge.profile.misprinted_ports
    right = _with_right_port(case, host)
    tail = " The provider's page has it misprinted." if misprint else ""
    return error(
        "kms-port-wrong",
        f"The KMS host {host.host} is set with port {host.port}, not {right.port}.{tail}",
        {"current": str(host), "port": host.port, "expected": right.port, "misprint": misprint},
        repair="automatic",
        remedy=f"On the server: {shell.set_kms_host(right)}",
    )


def licensed_by_other_kms(case: Case) -> Finding | None:
    """Licensed, but by a KMS host that is not the provider's."""
    others = [
        setting.value
        for product in kms_clients(case.facts)
        if is_licensed(product)
        and not by_directory(product)
        and isinstance(setting := serving(case.facts, product), Known)
        and not _is_provider_name(case, setting.value)
    ]
    if is_kms_host(case.facts) or not accepted_hosts(case.facts, case.ctx):
        return None
    directory = _licensed_by_directory(case)
    if directory or not others:
        return directory
    by_policy = others[0].layer == "policy"
    return error(
        "licensed-by-other-kms",
        f"Windows is licensed by {others[0].host}, which is not the provider's KMS host.",
        {"host": str(others[0].host), "layer": others[0].layer},
        repair="manual" if by_policy else "automatic",
        remedy=f"On the server: {shell.set_kms_host(preferred(case))}; {shell.activate()}",
    )


def _licensed_by_directory(case: Case) -> Finding | None:
    """Licensed through Active Directory: the domain's own choice, left alone."""
    if not any(is_licensed(p) and by_directory(p) for p in kms_clients(case.facts)):
        return None
    return warning(
        "licensed-by-other-kms",
        "Windows is licensed through Active Directory, not by the provider's KMS host.",
        {"host": "", "layer": "directory"},
        remedy="Nothing to do if the domain is meant to license this server.",
    )


def preferred(case: Case) -> HostPort:
    """The accepted host to name: the first reachable, else the first."""
    hosts = reachable_hosts(case.facts, case.ctx) or accepted_hosts(case.facts, case.ctx)
    return hosts[0]


def _judged_setting(case: Case) -> Known[Setting] | Absent | None:
    """The server-wide setting where it may be judged; ``None``: leave it alone.

    Left alone: policy decides, a product's own accepted host decides, a layer
    cannot be read, or nothing is set and DNS finds an accepted host.
    """
    facts = case.facts
    if not isinstance(policy_setting(facts), Absent) or not uses_kms(case):
        return None
    products: tuple[Product | None, ...] = kms_clients(facts) or (None,)
    if not any(_service_counts(case, product) for product in products):
        return None
    setting = service_setting(facts)
    if isinstance(setting, Known):
        return setting
    if isinstance(setting, Absent) and any(_needs_host(case, p) for p in products):
        return setting
    return None


def _service_counts(case: Case, product: Product | None) -> bool:
    """Whether the server-wide setting is, or is about to be, this product's."""
    if product is None:
        return True
    if is_licensed(product) and by_directory(product):
        return False  # the domain licenses it, and its KMS host is a fallback of the domain's
    own = product_setting(case.facts, product)
    if isinstance(own, Known):
        return not is_accepted(own.value.host, case.facts, case.ctx)
    return isinstance(own, Absent)


def _needs_host(case: Case, product: Product | None) -> bool:
    """Whether a product without an explicit host lacks one.

    A licensed product whose host was discovered needs none if it is accepted.
    """
    if product is None or is_unlicensed(product):
        return True
    if not is_licensed(product) or by_directory(product):
        return False
    has_type = not (is_2008(case.facts.os) or is_2008_r2(case.facts.os))
    if has_type and is_unreadable(product.vl_type):
        return False  # it may be licensed by the directory
    setting = serving(case.facts, product)
    if is_unreadable(setting):
        return False
    return not (is_known(setting) and _is_provider_name(case, value_of(setting)))


def _is_provider_name(case: Case, setting: Setting | None) -> bool:
    return setting is not None and is_accepted_name(setting.host, case.facts, case.ctx)


def _with_right_port(case: Case, host: HostPort) -> HostPort:
    plain = host.host.lower().rstrip(".")
    hosts = accepted_hosts(case.facts, case.ctx)
    return next((h for h in hosts if h.host.lower() == plain), hosts[0])
