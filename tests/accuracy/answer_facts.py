"""Reads a server's answer without any help of ``volact.core``.

The rules of conduct are judged on this reading, so that a fault in the way
volact reads or understands facts cannot hide a fault in its plans.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from volact.model.facts import Clock

Raw = Mapping[str, Any]

WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"
# What a try means, where the answer has it; these neither show a host nor accuse one.
KMS_UNCLEAR = frozenset({"unknown", "http"})
# HRESULTs of an HTTP try that show a listener: it spoke, or was cut off.
KMS_REACHED = frozenset({0, 0x80072F78, 0x80072EFE, 0x80072EFF, 0x80072746})
KMS_TIMED_OUT = 0x80072EE2
_TOKENS = (
    "VOLUME_KMSCLIENT",
    "VOLUME_KMS",
    "VOLUME_MAK",
    "TIMEBASED_EVAL",
    "VIRTUAL_MACHINE_ACTIVATION",
    "OEM_",
    "RETAIL",
)
_CHANNELS = {
    "Volume:GVLK": "VOLUME_KMSCLIENT",
    "Volume:CSVLK": "VOLUME_KMS",
    "Volume:MAK": "VOLUME_MAK",
    "Retail:TB": "TIMEBASED_EVAL",
    "OEM": "OEM_",
    "Retail": "RETAIL",
}
_DATE_LAG_S = 4  # a Date header is cut to seconds and was written before it came
NO_VERSION = 0xFFFFFFFF  # of an issuance licence: no token has activated the product


def state(raw: Raw, path: str, *keys: str) -> str:
    """ "known", "absent" or "unreadable"; a key that is not there was never asked."""
    found: Any = raw
    for key in (*path.split("."), *keys):
        if _failed(found) or not isinstance(found, Mapping) or key not in found:
            return "unreadable"
        found = found[key]
    if found is None:
        return "absent"
    return "unreadable" if _failed(found) else "known"


def value(raw: Raw, path: str, *keys: str) -> Any:
    """The value of a known fact, else None."""
    if state(raw, path, *keys) != "known":
        return None
    found: Any = raw
    for key in (*path.split("."), *keys):
        found = found[key]
    return found


def products(raw: Raw) -> list[dict[str, Any]] | None:
    """The Windows products with a key, add-ons apart; None when not readable."""
    found = value(raw, "products")
    if found is None:
        return None
    return [
        product
        for product in found
        if product.get("PartialProductKey")
        and product.get("LicenseIsAddon") is False
        and product.get("ApplicationID", WINDOWS).lower() == WINDOWS
    ]


def token(product: Raw) -> str:
    """The channel token of a product, by description or channel; "" when not known."""
    description, channel = product.get("Description", ""), product.get("ProductKeyChannel", "")
    by_word = (word for word in _TOKENS if word in description)
    by_channel = (word for start, word in _CHANNELS.items() if channel.startswith(start))
    return next(by_word, "") or next(by_channel, "")


def clients(raw: Raw) -> list[dict[str, Any]]:
    """The products that a KMS host activates."""
    return [product for product in products(raw) or () if token(product) == "VOLUME_KMSCLIENT"]


def licensed(product: Raw) -> bool:
    """Whether LicenseStatus is 1."""
    return product.get("LicenseStatus") == 1


def by_other_means(product: Raw) -> bool:
    """Whether its last activation came from Active Directory or a token, not from a KMS host."""
    token = product.get("TokenActivationILVID") not in (None, NO_VERSION)
    return token or product.get("VLActivationType") in (1, 3)


def skew_s(raw: Raw, clock: Clock) -> float | None:
    """How far the clock is off at least; None when nothing measured it."""
    measured = []
    utc, ref, at = value(raw, "time.utc"), value(raw, "time.ref"), value(raw, "time.ref_at")
    if utc is not None:
        measured.append(_least(utc / 1000 - clock.answered, utc / 1000 - clock.asked))
    if ref is not None and at is not None:
        measured.append(_least((at - ref) / 1000 - _DATE_LAG_S, (at - ref) / 1000))
    return min(measured, key=abs, default=None)


def _least(low: float, high: float) -> float:
    return 0.0 if low <= 0 <= high else min(low, high, key=abs)


def _failed(found: Any) -> bool:
    return isinstance(found, Mapping) and "!" in found and isinstance(found["!"], int)


def outcome(raw: Mapping[str, Any], host: str) -> str:
    """What a try at a KMS host means: the agent's word, else by the code alone."""
    told = value(raw, "reached", host)
    if told is not None:
        return str(told[0])
    code = value(raw, "reach", host)
    return "connected" if code in KMS_REACHED else "filtered" if code == KMS_TIMED_OUT else ""


def may_reach(raw: Mapping[str, Any], host: str, *, unproven: bool | None) -> bool:
    """Whether a host is connected; with ``unproven``, whether it is at least not ruled out.

    Nor does what the server itself does not let out, or a time-out, where Windows has no
    licence to lose.
    """
    found, keyed = outcome(raw, host), clients(raw) or products(raw) or []
    unlicensed = not keyed or not all(licensed(product) for product in keyed)
    trial = KMS_UNCLEAR | ({"filtered", "local"} if unlicensed else set())
    return found == "connected" or (bool(unproven) and found in trial)
