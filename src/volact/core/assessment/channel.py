"""The channel of a key: where it comes from, and so how it is activated."""

from __future__ import annotations

from typing import Literal

from volact.model.fact import value_of
from volact.model.facts import Product

KeyChannel = Literal["kms-client", "kms-host", "mak", "retail", "oem", "eval", "avma", "unknown"]

# Keys that license Windows without a KMS host.
OWN_CHANNELS: tuple[KeyChannel, ...] = ("mak", "retail", "oem", "avma")

# Words of Description, which are tokens and never translated.  Order matters:
# VOLUME_KMSCLIENT contains VOLUME_KMS.
_BY_DESCRIPTION: tuple[tuple[str, KeyChannel], ...] = (
    ("VOLUME_KMSCLIENT", "kms-client"),
    ("VOLUME_KMS", "kms-host"),
    ("VOLUME_MAK", "mak"),
    ("TIMEBASED_EVAL", "eval"),
    ("VIRTUAL_MACHINE_ACTIVATION", "avma"),
    ("OEM", "oem"),
    ("RETAIL", "retail"),
)
# ProductKeyChannel, 2012 R2 and later.  "Retail:TB:Eval" before "Retail".
_BY_CHANNEL: tuple[tuple[str, KeyChannel], ...] = (
    ("Volume:GVLK", "kms-client"),
    ("Volume:CSVLK", "kms-host"),
    ("Volume:MAK", "mak"),
    ("Retail:TB:Eval", "eval"),
    ("OEM:", "oem"),
    ("Retail", "retail"),
)


def channel_of(product: Product) -> KeyChannel:
    """Where the product's key comes from; ``unknown`` when no fact shows it."""
    description, channel = value_of(product.description) or "", value_of(product.channel) or ""
    for word, kind in _BY_DESCRIPTION:
        if word in description:
            return kind
    for word, kind in _BY_CHANNEL:
        if channel.startswith(word):
            return kind
    return "unknown"
