"""What keeps a KMS host from being found or from serving this server.

Whether it can be reached is the topic of ``reach``.
"""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.assessment.licence import ProductState
from volact.core.codes import hex_code, named
from volact.core.findings.foreign import whose
from volact.core.findings.kind import (
    Found,
    Place,
    error,
    evidence_field,
    remedy_of,
    reported,
    warning,
)
from volact.model.fact import Absent, value_of
from volact.model.profile import ErrorInfo
from volact.model.text import Text, raw, ready, say, typed

# By which a host reports that it does not know this product.
TOO_OLD = frozenset({0xC004F042, 0xC004F015})
# The server's own answer, too: its licence files are missing.
_NOT_INSTALLED = 0xC004F015
_FORCED = {1: say("Active Directory"), 3: say("tokens")}
# Codes by which a KMS host that was reached refuses.
HOST_REFUSALS = frozenset({0xC004F038, 0xC004F039, 0xC004F041, 0xC004F06B})


def _activation_type_forced(a: Assessment) -> Found | None:
    """Windows is set to an activation method other than KMS, and not licensed by that."""
    forced = [product for product in a.licence.clients if product.kept_from_kms]
    if not forced:
        return None
    kind = value_of(forced[0].facts.vl_enabled) or 0
    lasting = all(p.licensed and p not in a.renewal.ending for p in forced)
    make = warning if lasting else error
    return make(
        say(
            "Windows is configured for activation by {kind} only, so no KMS host renews its "
            "licence.",
            kind=_FORCED[kind],
        )
        if all(product.licensed for product in forced)
        else say(
            "Windows is configured for activation by {kind} only, so it contacts no KMS host.",
            kind=_FORCED[kind],
        ),
        {"type": kind, "product": value_of(forced[0].facts.id)},
        remedy=say(
            "To use KMS, on the server: {command}",
            command=typed(a.console.use_kms()),
        ),
    )


ACTIVATION_TYPE_FORCED = reported(
    id="activation-type-forced",
    rule=_activation_type_forced,
    place=Place.DISCOVERY,
    severities=("error", "warning"),
    meaning=say("Windows is configured for activation by Active Directory or by token only."),
    action=say("Reports it, with the command; Windows does not contact a KMS host."),
    blocks="kms",
    detail=None,
)


def _kms_not_discovered(a: Assessment) -> Found | None:
    if not a.kms.by_dns:
        return None
    info = a.ctx.knowledge.errors.get(a.attempts.code or 0)
    products = [product for product in a.licence.unlicensed if product.is_client]
    if info is None or info.family != "dns" or not products:
        return None
    if not all(isinstance(product.kms, Absent) for product in products):
        return None
    domain = a.kms.lookup_domain or value_of(a.facts.os.domain) or ""
    asked = value_of(a.facts.dns)
    record = f"_vlmcs._tcp.{domain}" if "." in domain else "_vlmcs._tcp.DOMAIN"
    return error(
        say(
            "No KMS host is configured, and DNS publishes none: {code}.",
            code=named(info.code, a.ctx.knowledge.errors),
        ),
        {
            "code": hex_code(info.code),
            "domain": domain,
            "dns": list(asked or ()),
        },
        remedy=say(
            "Name your KMS host with {option}, or publish it in DNS; to see the DNS record: "
            "{command}",
            option=raw("--kms-host HOST"),
            command=typed(f"nslookup -type=srv {record}"),
        ),
    )


KMS_NOT_DISCOVERED = reported(
    id="kms-not-discovered",
    rule=_kms_not_discovered,
    place=Place.DISCOVERY,
    severities=("error",),
    meaning=say("No KMS host is configured, and DNS publishes none."),
    action=say("Reports it, and tries one activation."),
    blocks="nothing",
    detail=None,
)


def _kms_host_too_old(a: Assessment) -> Found | None:
    code = _too_old_code(a)
    if code is None:
        return None
    host, release = a.attempts.host, a.system.release_name
    needs = _needs(a, release)
    title = raw(f"Windows Server {release}") if release else say("this release")
    return error(
        say(
            "The KMS host {host} does not serve {release}: {code}.",
            host=host or say("in use"),
            release=title,
            code=named(code, a.ctx.knowledge.errors),
        ),
        {"code": hex_code(code), "host": host, "release": release or None, **needs},
        remedy=_cloud_too_old_remedy(a, title) or _too_old_remedy(needs),
    )


def _cloud_too_old_remedy(a: Assessment, release: Text) -> Text | None:
    cloud = refusing_cloud(a)
    if cloud is None:
        return None
    asking = say(
        "The KMS host is {cloud}'s own, and only {cloud} can change it: ask {cloud}'s "
        "support why it does not serve {release}.",
        cloud=cloud,
        release=release,
    )
    return _with_licence(a, asking)


KMS_HOST_TOO_OLD = reported(
    id="kms-host-too-old",
    rule=_kms_host_too_old,
    place=Place.KMS_ANSWER,
    severities=("error",),
    meaning=say("The KMS host answered but does not support this release."),
    action=say("Reports which host key, Windows version and update the KMS host needs."),
    blocks="nothing",
    detail=evidence_field("code"),
)


def _too_old_code(a: Assessment) -> int | None:
    """Such an answer, from the host that is to be used."""
    code = _answered(a, TOO_OLD)
    return code if code and _stays(a) else None


def _answered(a: Assessment, codes: frozenset[int]) -> int | None:
    """One of these codes, as the answer of the host that an unlicensed KMS client still uses."""
    clients = [product for product in a.licence.unlicensed if product.is_client]
    if not any(_used_by(a, product) for product in clients):
        return None
    told = (a.attempts.code if a.attempts.code != _NOT_INSTALLED else None, a.attempts.answer)
    return next((code for code in told if code in codes), None)


def _used_by(a: Assessment, product: ProductState) -> bool:
    """Whether the host that was asked last is the one in use, or another of the provider's."""
    tried, setting = a.attempts.asked, value_of(product.kms)
    if tried is None or setting is None or a.kms.names.same(tried, setting.host):
        return True
    return a.kms.is_the_providers(tried) and a.kms.is_the_providers(setting.host)


def _stays(a: Assessment) -> bool:
    """The age of a host that is to be replaced anyway does not matter."""
    tried = a.attempts.asked
    return tried is None or not a.kms.accepted or a.kms.is_accepted_name(tried)


def _needs(a: Assessment, release: str) -> dict[str, object]:
    """Which host key serves a release, and on which Windows it may be installed."""
    key = next((key for key in a.ctx.knowledge.host_keys if key.release == release), None)
    if key is None:
        return {}
    updates = {update.host: update.kb for update in key.updates}
    return {"host_key": key.release, "host_releases": list(key.hosts), "updates": updates}


def _too_old_remedy(needs: dict[str, object]) -> Text:
    if not needs:
        return say(
            "KMS administrator: the KMS host needs a recent enough Windows and a host key for "
            "this release."
        )
    hosts, updates = needs["host_releases"], needs["updates"]
    assert isinstance(hosts, list)
    assert isinstance(updates, dict)
    listed = ", ".join(f"{host} ({updates[host]})" if host in updates else host for host in hosts)
    return say(
        "KMS administrator: the KMS host needs a host key of Windows Server {key} or later, on "
        "Windows Server {hosts}, with the update named.",
        key=needs["host_key"],
        hosts=listed,
    )


def _kms_host_refuses(a: Assessment) -> Found | None:
    code = _answered(a, HOST_REFUSALS)
    if code is None:
        return None
    errors = a.ctx.knowledge.errors
    return error(
        say("The KMS host refused: {code}.", code=named(code, errors)),
        {"code": hex_code(code), "host": a.attempts.host},
        remedy=_refusal_remedy(a, errors.get(code)),
    )


def _refusal_remedy(a: Assessment, known: ErrorInfo | None) -> Text:
    if cloud := refusing_cloud(a):
        asking = say(
            "The KMS host is {cloud}'s own, and only {cloud} can change it: ask {cloud}'s "
            "support why it refuses this server.",
            cloud=cloud,
        )
        return _with_licence(a, asking)
    return remedy_of(known, a) if known else say("Ask the KMS administrator.")


def refusing_cloud(a: Assessment) -> Text | None:
    """The provider, where the KMS host that has refused is its own."""
    if _answered(a, TOO_OLD | HOST_REFUSALS) is None:
        return None
    setting = a.kms.effective
    host = a.attempts.asked or (setting.host if setting else None)
    return whose(a, host) if host and a.kms.is_the_providers(host) else None


def _with_licence(a: Assessment, remedy: Text) -> Text:
    """What is known of the servers that the provider's licence covers, which may be the reason."""
    text = a.ctx.knowledge.profile.entitlement.text
    return say("{what} On its licence: {text}", what=remedy, text=ready(text)) if text else remedy


KMS_HOST_REFUSES = reported(
    id="kms-host-refuses",
    rule=_kms_host_refuses,
    place=Place.KMS_ANSWER,
    severities=("error",),
    meaning=say("A KMS host answered and refused."),
    action=say("Tries once more, and reports the reason that the host gave."),
    blocks="nothing",
    detail=evidence_field("code"),
)
