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

# Python names these without their script, or by tags that no registry has.
_MISNAMED = {4, 1068, 1091, 1107, 1117, 1125, 1132, 1158, 1164, 2074, 2092, 2115, 2129, 2141}
_MISNAMED |= {2143, 3098, 5146, 6170, 7194, 8201, 8218, 9225, 14346, 31748}


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
    """The tag (BCP 47) for an LCID; ``und-x-lcid1234`` for one that Python has none for."""
    named = "" if lcid in _MISNAMED else windows_locale.get(lcid, "")
    return named.replace("_", "-") or f"und-x-lcid{lcid}"
