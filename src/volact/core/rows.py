"""A server's operating system and licence as rows of the JSON document."""

from __future__ import annotations

from volact.core.context import Context
from volact.core.kms import Setting, origin_of, service_setting, serving
from volact.core.languages import language_tag
from volact.core.licensing import ends_at, main_product, status_word
from volact.core.release import SERVER_EDITIONS, release_name
from volact.model.fact import value_of
from volact.model.facts import Facts, Product
from volact.model.report import LicenseRow, OsRow


def os_row(facts: Facts, ctx: Context) -> OsRow:
    """Release, build, edition, language; null where not known."""
    sku, language = value_of(facts.os.sku), value_of(facts.os.language)
    edition = value_of(facts.os.edition) or (None if sku is None else SERVER_EDITIONS.get(sku))
    return OsRow(
        release=release_name(facts, ctx) or None,
        build=value_of(facts.os.build),
        edition=edition,
        language=None if language is None else language_tag(language),
    )


def license_row(facts: Facts, ctx: Context) -> LicenseRow:
    """The licence of the product that stands for the server."""
    cmid = value_of(facts.licensing.cmid)
    product = main_product(facts)
    if product is None:
        setting = value_of(service_setting(facts))
        return LicenseRow(**_host(facts, setting, None), cmid=cmid)
    status = value_of(product.status)
    return LicenseRow(
        status=None if status is None else status_word(status),
        channel=_channel(product),
        partial_key=value_of(product.partial_key),
        **_host(facts, value_of(serving(facts, product)), product),
        expires=ends_at(product, ctx.now) or None,
        cmid=cmid,
    )


def _channel(product: Product) -> str | None:
    """The channel's token in Description, which every release has."""
    description = value_of(product.description) or ""
    words = [word.strip(",") for word in description.split()]
    token = next((w for w in words if w.isupper() and ("_" in w or w in ("RETAIL", "OEM"))), None)
    return token or value_of(product.channel)


def _host(facts: Facts, setting: Setting | None, product: Product | None) -> dict[str, str]:
    """The KMS host in use, and which layer named it."""
    if setting is None:
        return {}
    return {"kms_host": str(setting.host), "kms_source": origin_of(setting, facts, product)}
