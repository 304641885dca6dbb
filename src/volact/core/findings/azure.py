"""What Azure alone asks of a server: a path out, and the metadata service for its own edition."""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.assessment.entitlement import AZURE_EDITION
from volact.core.assessment.licence import ProductState
from volact.core.codes import hex_code
from volact.core.findings.kind import Found, Place, error, reported, warning
from volact.model.fact import ABSENT, NOT_ASKED, Fact, Known, Unreadable, value_of
from volact.model.text import Text, raw, say, typed

# No answer came: a time-out, no connection, one that broke off, a name that is not found.
_SILENT = frozenset({0x80072EE2, 0x80072EFD, 0x80072EFE, 0x80072EE7})
_NO_STATUS = (-1, 0xFFFFFFFF)  # how licensing counts what it does not know


def _azure_outbound_missing(a: Assessment) -> Found | None:
    """No KMS host answers, and the server has no public address of its own to go out with."""
    key = a.ctx.knowledge.profile.public_ip_key
    fact: Fact[str] = a.facts.metadata.get(key, NOT_ASKED)
    if fact not in (ABSENT, Known("")) or not a.kms.all_are("timeout"):
        return None
    return warning(
        say(
            "Azure's metadata names no public address of this server, and no KMS host answers: "
            "most likely its subnet has no outbound path, which Azure no longer gives by default."
        ),
        {"public_ip": "", "hosts": [str(host) for host in a.kms.accepted]},
        remedy=say(
            "Give the subnet a NAT gateway, or the server a public address or an outbound rule of "
            "its load balancer. Behind forced tunnelling, the KMS addresses ({ranges}) need the "
            "next hop Internet.",
            ranges=raw(", ".join(a.ctx.knowledge.profile.kms_ranges)),
        ),
    )


AZURE_OUTBOUND_MISSING = reported(
    id="azure-outbound-missing",
    rule=_azure_outbound_missing,
    place=Place.NETWORK_SETTING,
    severities=("warning",),
    meaning=say("The server in Azure has no path to the Internet, where Azure's KMS hosts are."),
    action=say("Reports it; the path is made in Azure, not on the server."),
    blocks="nothing",
    detail=None,
)


def _azure_edition_unproven(a: Assessment) -> Found | None:
    rule = a.ctx.knowledge.profile.entitlement
    if a.system.sku not in AZURE_EDITION or rule.kind != "edition" or not rule.metadata:
        return None
    fact: Fact[str] = a.facts.metadata.get(rule.metadata, NOT_ASKED)
    code = fact.hresult if isinstance(fact, Unreadable) else None
    if code not in _SILENT:
        return None
    make = warning if a.licence.all_licensed else error
    return make(
        say(
            "This is Datacenter: Azure Edition, which must prove at the metadata service that it "
            "runs in Azure or on Azure Local; the service does not answer this server."
        ),
        {"sku": a.system.sku, "code": hex_code(code)},
        remedy=say(
            "Let the server reach {address} by HTTP without a proxy: check its routes, firewall "
            "and proxy settings. On Azure Local, turn on Azure verification for virtual machines.",
            address=raw("169.254.169.254"),
        ),
    )


AZURE_EDITION_UNPROVEN = reported(
    id="azure-edition-unproven",
    rule=_azure_edition_unproven,
    place=Place.RELEASE,
    severities=("error", "warning"),
    meaning=say("Datacenter: Azure Edition cannot reach the metadata service that proves Azure."),
    action=say("Reports it, and activates all the same."),
    blocks="nothing",
    detail=None,
)


def _azure_edition_watermark(a: Assessment) -> Found | None:
    """Datacenter: Azure Edition in Azure that KMS has licensed and Windows finds not genuine."""
    azure = a.ctx.knowledge.profile.is_azure
    if a.system.sku not in AZURE_EDITION or not azure or not a.licence.all_licensed:
        return None
    if _azure_edition_unproven(a):
        return None  # the cause that comes first
    status = next(filter(_is_not_genuine, map(_genuine_status, a.licence.products)), None)
    if status is None:
        return None
    return warning(
        say(
            'Windows is licensed, but may show "Activate Windows" on the desktop: it does not find '
            "itself genuine, possibly because certificates of the metadata service have expired."
        ),
        {"sku": a.system.sku, "genuine_status": status},
        remedy=_certificates(a.system.release_name),
    )


def _certificates(release: str) -> Text:
    command = typed(r"%windir%\system32\fclip.exe")
    if release == "2022":
        return say(
            'If the desktop shows "Activate Windows": install KB5036909 or a later update, let the '
            "server download intermediate certificates, then run as administrator and sign in "
            "again: {command}",
            command=command,
        )
    return say(
        'If the desktop shows "Activate Windows": let the server download intermediate '
        "certificates, then run as administrator and sign in again: {command}",
        command=command,
    )


def _genuine_status(product: ProductState) -> int | None:
    """What Windows found of itself; 0 is genuine."""
    value = value_of(product.facts.other.get("GenuineStatus", NOT_ASKED))
    return value if isinstance(value, int) else None


def _is_not_genuine(status: int | None) -> bool:
    return status not in (None, 0, *_NO_STATUS)


AZURE_EDITION_WATERMARK = reported(
    id="azure-edition-watermark",
    rule=_azure_edition_watermark,
    place=Place.RELEASE,
    severities=("warning",),
    meaning=say(
        'Datacenter: Azure Edition is licensed, but may show "Activate Windows" all the same.'
    ),
    action=say("Reports it; certificates are what is missing, not a licence."),
    blocks="nothing",
    detail=None,
)
