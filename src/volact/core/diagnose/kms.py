"""Which KMS host the server is set to, and which layer says so."""

from __future__ import annotations

from volact.core import shell
from volact.core.diagnose.binary import blocked_by
from volact.core.diagnose.case import Case, error, info, on_server
from volact.core.diagnose.foreign import moving_away, whose
from volact.core.diagnose.services import service_of
from volact.core.kms import (
    Setting,
    accepted_hosts,
    configured,
    is_accepted,
    is_accepted_name,
    is_pinned,
    origin_of,
    policy_setting,
    preferred_host,
    product_setting,
    service_setting,
    serving,
)
from volact.core.licensing import (
    all_licensed,
    by_directory,
    has_key,
    is_kms_host,
    is_licensed,
    is_unlicensed,
    kms_clients,
    main_product,
    windows_products,
)
from volact.core.release import is_2008, is_2008_r2, licensing_service
from volact.model.fact import Absent, Known, is_known, is_unreadable, value_of
from volact.model.facts import Product
from volact.model.finding import Finding
from volact.model.profile import HostPort
from volact.model.text import Text, say


def uses_kms(case: Case) -> bool:
    """Whether KMS settings matter here.

    They do for a KMS client and for a server that is yet to get its client key.
    """
    if is_kms_host(case.facts) or not accepted_hosts(case.facts, case.ctx):
        return False  # a provider without hosts of its own leaves it to DNS
    keyed = has_key(case.facts)
    if keyed is None:
        return False  # it may be a KMS host, or licensed by a key of its own
    return not keyed or bool(kms_clients(case.facts)) or _to_be_replaced(case)


def _to_be_replaced(case: Case) -> bool:
    """Whether keys of other channels give way to the client key; one in use never does."""
    in_use = any(is_licensed(product) for product in windows_products(case.facts))
    return case.ctx.policy.replace_key and not in_use


def licensing_held_down(case: Case) -> bool:
    """Whether a known, mendable fault explains that licensing does not answer."""
    service = service_of(case, licensing_service(case.facts.os))
    disabled = service is not None and service.start == "Disabled"
    why = blocked_by(case.facts)
    agreed = "remove-debugger" in case.ctx.policy.consent
    return disabled or why == "acl" or (why == "debugger" and agreed)


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
            host=preferred(case),
            command="gpupdate /force",
        ),
    )


def kms_host_per_product_override(case: Case) -> Finding | None:
    """A product has a KMS host of its own, which hides the server's setting."""
    if not isinstance(policy_setting(case.facts), Absent) or not uses_kms(case):
        return None
    found = [
        (product, setting.value)
        for product in kms_clients(case.facts)
        if not (is_licensed(product) and by_directory(product))
        and isinstance(setting := product_setting(case.facts, product), Known)
        and not is_accepted(setting.value.host, case.facts, case.ctx)
    ]
    if not found:
        return None
    hosts = [
        {"product": value_of(product.id), "host": str(setting.host)} for product, setting in found
    ]
    commands = [shell.clear_kms_host(str(entry["product"])) for entry in hosts]
    return error(
        "kms-host-per-product-override",
        say(
            "One product has a KMS host of its own, {host}, which hides the server's setting.",
            host=hosts[0]["host"],
        ),
        {"products": hosts},
        repair=moving_away(case),
        remedy=on_server(*commands),
    )


def kms_host_wrong(case: Case) -> Finding | None:
    """The server is set to a KMS host that is not the provider's, or to none."""
    setting = _judged_setting(case)
    if setting is None or (isinstance(setting, Known) and _is_provider_name(case, setting.value)):
        return None
    if isinstance(setting, Known) and _licensed_by_address(case, setting.value):
        return None  # kms-host-pinned
    return error(
        "kms-host-wrong",
        _wrong_summary(case, setting),
        {
            "current": str(setting.value.host) if isinstance(setting, Known) else "",
            "accepted": [str(h) for h in accepted_hosts(case.facts, case.ctx)],
            **_in_effect(case),
        },
        repair=moving_away(case),
        remedy=on_server(shell.set_kms_host(preferred(case))),
    )


def _wrong_summary(case: Case, setting: Known[Setting] | Absent) -> Text:
    right = preferred(case)
    found = _effective(case)
    if isinstance(setting, Absent) and found is None:
        return say("No KMS host is set; the provider's is {right}.", right=right)
    if isinstance(setting, Absent) and found is not None:
        return say(
            "No KMS host is set, and DNS leads to {host}; the provider's is {right}.",
            host=found.host,
            right=right,
        )
    host = setting.value.host if isinstance(setting, Known) else right
    name = whose(case, host)
    if is_pinned(host, case.ctx):
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


def _effective(case: Case) -> Setting | None:
    """The host that is used now, where that is known."""
    product = main_product(case.facts)
    if product is None or product not in kms_clients(case.facts):
        return value_of(configured(case.facts, None))
    return value_of(serving(case.facts, product))


def _in_effect(case: Case) -> dict[str, str]:
    """The host in use and how it came to be used; the layer to mend is the service's."""
    found = _effective(case)
    if found is None:
        return {}
    origin = origin_of(found, case.facts, main_product(case.facts))
    return {"effective": str(found.host), "source": origin}


def _licensed_by_address(case: Case, setting: Setting) -> bool:
    return is_pinned(setting.host, case.ctx) and all_licensed(case.facts)


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


def preferred(case: Case) -> HostPort:
    """The accepted host to name: the first reachable, else the first."""
    return preferred_host(case.facts, case.ctx)


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
