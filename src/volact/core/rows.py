"""A server's operating system and licence as rows of the JSON document."""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.assessment.kms_setting import KmsSetting
from volact.core.assessment.licence import ProductState
from volact.core.assessment.system import SERVER_EDITIONS
from volact.model.fact import value_of
from volact.model.facts import Product
from volact.model.report import LicenseRow, OsRow

# The languages of Windows as BCP 47, by their LCIDs.
_TAGS: dict[int, str] = {
    1025: "ar-SA",
    1026: "bg-BG",
    1028: "zh-TW",
    1029: "cs-CZ",
    1030: "da-DK",
    1031: "de-DE",
    1032: "el-GR",
    1033: "en-US",
    1035: "fi-FI",
    1036: "fr-FR",
    1037: "he-IL",
    1038: "hu-HU",
    1040: "it-IT",
    1041: "ja-JP",
    1042: "ko-KR",
    1043: "nl-NL",
    1044: "nb-NO",
    1045: "pl-PL",
    1046: "pt-BR",
    1048: "ro-RO",
    1049: "ru-RU",
    1050: "hr-HR",
    1051: "sk-SK",
    1053: "sv-SE",
    1054: "th-TH",
    1055: "tr-TR",
    1057: "id-ID",
    1058: "uk-UA",
    1060: "sl-SI",
    1061: "et-EE",
    1062: "lv-LV",
    1063: "lt-LT",
    1066: "vi-VN",
    1081: "hi-IN",
    2052: "zh-CN",
    2057: "en-GB",
    2070: "pt-PT",
    3076: "zh-HK",
    3082: "es-ES",
}


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
    """The tag for an LCID; ``und-x-lcid1234`` for one that is not in the table."""
    return _TAGS.get(lcid, f"und-x-lcid{lcid}")
