"""Products, channels and licence states: what the licensing facts say.

Never only the first product: a server may hold several keys, and add-ons
(extended updates and the like) are no Windows licence.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from volact.core.once import once
from volact.model.fact import ABSENT, Known, Unreadable, is_known, is_unreadable, value_of
from volact.model.facts import Facts, Product
from volact.model.text import Text, raw, say

WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"
LICENSED = 1
TIMED_OUT = 0x800705B4  # how the agent says that its time was over
FULL_TERM_MIN = 259_200  # 180 days: how long one KMS activation lasts

Channel = Literal["kms-client", "kms-host", "mak", "retail", "oem", "eval", "avma", "unknown"]

# Words of Description, which are tokens and never translated.  Order matters:
# VOLUME_KMSCLIENT contains VOLUME_KMS.
_BY_DESCRIPTION: tuple[tuple[str, Channel], ...] = (
    ("VOLUME_KMSCLIENT", "kms-client"),
    ("VOLUME_KMS", "kms-host"),
    ("VOLUME_MAK", "mak"),
    ("TIMEBASED_EVAL", "eval"),
    ("VIRTUAL_MACHINE_ACTIVATION", "avma"),
    ("OEM", "oem"),
    ("RETAIL", "retail"),
)
# ProductKeyChannel, 2012 R2 and later.  "Retail:TB:Eval" before "Retail".
_BY_CHANNEL: tuple[tuple[str, Channel], ...] = (
    ("Volume:GVLK", "kms-client"),
    ("Volume:CSVLK", "kms-host"),
    ("Volume:MAK", "mak"),
    ("Retail:TB:Eval", "eval"),
    ("OEM:", "oem"),
    ("Retail", "retail"),
)

_STATUS = {
    0: say("unlicensed"),
    1: say("licensed"),
    2: say("initial-grace"),
    3: say("out-of-tolerance-grace"),
    4: say("non-genuine-grace"),
    5: say("notification"),
    6: say("extended-grace"),
}


def status_text(status: int) -> Text:
    """LicenseStatus as a word in a sentence."""
    return _STATUS.get(status) or raw(f"status-{status}")


def status_word(status: int) -> str:
    """LicenseStatus as a word of the JSON document."""
    return str(status_text(status))


def channel_of(product: Product) -> Channel:
    """Where the product's key comes from; ``unknown`` when no fact tells."""
    description, channel = value_of(product.description) or "", value_of(product.channel) or ""
    for word, kind in _BY_DESCRIPTION:
        if word in description:
            return kind
    for word, kind in _BY_CHANNEL:
        if channel.startswith(word):
            return kind
    return "unknown"


@once
def windows_products(facts: Facts) -> tuple[Product, ...]:
    """The keyed products that license Windows itself; () also when unreadable."""
    return tuple(product for product in value_of(facts.products) or () if _is_windows(product))


@once
def kms_clients(facts: Facts) -> tuple[Product, ...]:
    """The Windows products that a KMS host activates."""
    return tuple(p for p in windows_products(facts) if channel_of(p) == "kms-client")


def subjects(facts: Facts) -> tuple[Product, ...]:
    """The products that say whether this server is licensed.

    The KMS clients where there are any; a leftover key of another channel
    beside them decides nothing.
    """
    return kms_clients(facts) or windows_products(facts)


def is_licensed(product: Product) -> bool:
    """Whether this product is known to be licensed."""
    return value_of(product.status) == LICENSED


def is_unlicensed(product: Product) -> bool:
    """Whether this product is known not to be licensed."""
    return isinstance(product.status, Known) and product.status.value != LICENSED


def ends_at(product: Product, now: datetime) -> str:
    """When the licence or grace period ends; ``""``: never, or when is not known.

    Whole minutes: the server counts no finer, and rows stay comparable.
    """
    left = value_of(product.grace_min)
    if not left:
        return ""
    try:
        end = now + timedelta(minutes=left)
    except OverflowError:
        return ""  # beyond the year 9999: no licence lasts that long
    return end.replace(second=0, microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")


def by_directory(product: Product) -> bool:
    """Whether the last activation came from Active Directory (VLActivationType 1)."""
    return value_of(product.vl_type) == 1


def has_key(facts: Facts) -> bool | None:
    """Whether Windows has a key; ``None`` when that cannot be told."""
    if windows_products(facts):
        return True
    return None if is_unreadable(facts.products) or undetermined(facts) else False


def undetermined(facts: Facts) -> bool:
    """Whether some product may be a Windows licence of any kind, for want of a fact."""
    return any(_is_undetermined(product) for product in value_of(facts.products) or ())


def all_licensed(facts: Facts) -> bool:
    """Whether every subject is known to be licensed, and there is one."""
    products = subjects(facts)
    return bool(products) and all(is_licensed(product) for product in products)


def unlicensed(facts: Facts) -> tuple[Product, ...]:
    """The subjects known not to be licensed."""
    return tuple(product for product in subjects(facts) if is_unlicensed(product))


def licensing_silent(facts: Facts) -> bool:
    """Whether the licensing service itself did not answer.

    Its products, or both its version and its client machine ID, are missing: a
    release that lacks one property still has those.
    """
    service = facts.licensing
    no_service = not is_known(service.version) and not is_known(service.cmid)
    return is_unreadable(facts.products) or no_service


def out_of_time(facts: Facts) -> bool:
    """Whether the agent did not get to ask what decides: the script's time was over."""
    asked = (facts.products, facts.licensing.version, facts.licensing.cmid)
    return any(isinstance(fact, Unreadable) and fact.hresult == TIMED_OUT for fact in asked)


def is_kms_host(facts: Facts) -> bool:
    """Whether this server is known to be a KMS host itself."""
    if (value_of(facts.licensing.is_kms_host) or 0) > 0:
        return True
    return any(
        channel_of(product) == "kms-host" or (value_of(product.is_kms_host) or 0) > 0
        for product in windows_products(facts)
    )


def main_product(facts: Facts) -> Product | None:
    """The product that stands for the server in a table: licensed first."""
    products = subjects(facts)
    return next((p for p in products if is_licensed(p)), next(iter(products), None))


def _is_undetermined(product: Product) -> bool:
    if value_of(product.addon):
        return False
    if not is_known(product.addon) or is_unreadable(product.partial_key):
        return True
    kind = (product.description, product.channel)
    return channel_of(product) == "unknown" and any(isinstance(f, Unreadable) for f in kind)


def _is_windows(product: Product) -> bool:
    if value_of(product.partial_key) == "" or not is_known(product.partial_key):
        return False
    application = value_of(product.other.get("ApplicationID", ABSENT))
    if application is not None and str(application).lower() != WINDOWS:
        return False
    return isinstance(product.addon, Known) and not product.addon.value
