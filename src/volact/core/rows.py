"""A server's operating system and licence as rows of the JSON document."""

from __future__ import annotations

from datetime import timedelta

from volact.core.context import Context
from volact.core.kms import service_setting, serving
from volact.core.languages import language_tag
from volact.core.licensing import main_product, status_word
from volact.core.release import SERVER_EDITIONS, release_name
from volact.model.fact import Known, value_of
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
        return LicenseRow(kms_host=_service_host(facts), cmid=cmid)
    status = value_of(product.status)
    return LicenseRow(
        status=None if status is None else status_word(status),
        channel=_channel(product),
        partial_key=value_of(product.partial_key),
        kms_host=_serving_host(facts, product),
        expires=_expires(product, ctx),
        cmid=cmid,
    )


def _channel(product: Product) -> str | None:
    """The channel's token in Description, which every release has."""
    description = value_of(product.description) or ""
    words = [word.strip(",") for word in description.split()]
    token = next((w for w in words if w.isupper() and ("_" in w or w in ("RETAIL", "OEM"))), None)
    return token or value_of(product.channel)


def _serving_host(facts: Facts, product: Product) -> str | None:
    setting = serving(facts, product)
    return str(setting.value.host) if isinstance(setting, Known) else None


def _service_host(facts: Facts) -> str | None:
    setting = service_setting(facts)
    return str(setting.value.host) if isinstance(setting, Known) else None


def _expires(product: Product, ctx: Context) -> str | None:
    """When the licence or grace period ends; null for one that does not end."""
    left = value_of(product.grace_min)
    if not left:
        return None
    # Whole minutes: the server counts no finer, and rows stay comparable.
    end = (ctx.now + timedelta(minutes=left)).replace(second=0, microsecond=0)
    return end.strftime("%Y-%m-%dT%H:%M:%SZ")
