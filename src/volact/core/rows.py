"""A server's operating system and licence as rows of the JSON document."""

from __future__ import annotations

from locale import windows_locale

from volact.core.assessment import Assessment
from volact.core.assessment.kms_setting import KmsSetting
from volact.core.assessment.licence import ProductState
from volact.core.assessment.system import SERVER_EDITIONS
from volact.model.fact import value_of
from volact.model.facts import Product
from volact.model.report import LicenseRow, OsRow


def os_row(a: Assessment) -> OsRow:
    """Release, build, edition, language; null where not known."""
    sku, language = a.system.sku, value_of(a.facts.os.language)
    edition = value_of(a.facts.os.edition) or (None if sku is None else SERVER_EDITIONS.get(sku))
    return OsRow(
        release=a.system.release_name or None,
        build=a.system.build,
        edition=edition,
        language=None if language is None else language_tag(language),
    )


def license_row(a: Assessment) -> LicenseRow:
    """The licence of the product that stands for the server."""
    cmid = value_of(a.facts.licensing.cmid)
    product = a.licence.main
    if product is None:
        setting = value_of(a.kms.service)
        return LicenseRow(**_host(a, setting, None), cmid=cmid)
    return LicenseRow(
        status=product.status_word,
        channel=_channel(product.facts),
        partial_key=product.partial_key,
        **_host(a, value_of(product.kms), product),
        expires=product.ends(a.ctx.now) or None,
        cmid=cmid,
    )


def _channel(product: Product) -> str | None:
    """The channel's token in Description, which every release has."""
    description = value_of(product.description) or ""
    words = [word.strip(",") for word in description.split()]
    token = next((w for w in words if w.isupper() and ("_" in w or w in ("RETAIL", "OEM"))), None)
    return token or value_of(product.channel)


def _host(
    a: Assessment, setting: KmsSetting | None, product: ProductState | None
) -> dict[str, str]:
    """The KMS host in use, and the layer that names it."""
    if setting is None:
        return {}
    return {"kms_host": str(setting.host), "kms_source": a.kms.origin_of(setting, product)}


def language_tag(lcid: int) -> str:
    """The tag (BCP 47) for an LCID; ``und-x-lcid1234`` for one that Python does not name."""
    return windows_locale.get(lcid, f"und-x-lcid{lcid}").replace("_", "-")
