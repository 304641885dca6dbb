"""Licensed products: what SoftwareLicensingProduct lists, as values.

Activation ids are the lab's own (derived from release, edition and channel):
real ones would add nothing to what is tested.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from volact.model.profile import Edition
from volact_lab import codes

WINDOWS_APP = "55c92734-d682-4d71-983e-d6ec3f16059f"
OFFICE_APP = "0ff1ce15-a989-479d-af46-f275c6370663"
VALIDITY_MIN = 259200
GRACE_MIN = 30 * 24 * 60
_CHANNELS = {
    "VOLUME_KMSCLIENT": "Volume:GVLK",
    "VOLUME_MAK": "Volume:MAK",
    "RETAIL": "Retail",
    "TIMEBASED_EVAL": "Retail:TB:Eval",
    "OEM_SLP": "OEM:SLP",
}
_SPACE = uuid.UUID("6c4b2a3e-7f0d-5d9a-9f0b-1d6a5f5a7a10")


@dataclass(slots=True)
class Product:
    """One product.  ``ends`` is when its grace or validity ends, in real Unix seconds."""

    id: str
    name: str
    description: str
    app: str = WINDOWS_APP
    partial_key: str | None = None
    addon: bool = False
    status: int = 0
    reason: int = codes.SL_NO_KEY
    ends: float | None = None
    channel: str = ""
    key_id: str | None = None
    kms_key_id: str | None = None
    forced: int = 0  # VLActivationTypeEnabled: 0 any, 1 Active Directory, 2 KMS, 3 tokens
    by_token: bool = False  # whether a token gave the licence
    genuine: int = 0  # GenuineStatus
    host: bool = False  # whether its key makes this server a KMS host

    @property
    def is_kms_client(self) -> bool:
        """Whether its key is for a KMS host."""
        return "VOLUME_KMSCLIENT" in self.description

    @property
    def minutes_left(self) -> int:
        """GracePeriodRemaining."""
        if self.ends is None:
            return 0
        return max(0, -int((time.time() - self.ends) // 60))

    def give_key(self, partial: str, status: int, reason: int, minutes: int | None) -> None:
        """Take a product key: what is left of it to see, and the state it leads to."""
        self.partial_key = partial
        self.key_id = "00000-00000-00000-00000"
        self.set_state(status, reason, minutes)

    def set_state(self, status: int, reason: int, minutes: int | None) -> None:
        """Set LicenseStatus, its reason, and the minutes until it ends."""
        self.status, self.reason, self.by_token = status, reason, False
        self.ends = None if minutes is None else time.time() + minutes * 60

    def drop_key(self) -> None:
        """Be without a key again."""
        self.partial_key = self.key_id = None
        self.set_state(0, codes.SL_NO_KEY, None)


def product_id(release: str, edition: str, channel: str) -> str:
    """The lab's activation id for an edition and channel."""
    return str(uuid.uuid5(_SPACE, f"{release}/{edition}/{channel}"))


def windows_product(edition: Edition, channel: str) -> Product:
    """A Windows product without a key."""
    return Product(
        id=product_id(edition.release, edition.edition_id, channel),
        name=f"Windows(R), {edition.edition_id} edition",
        description=f"Windows(R) Operating System, {channel} channel",
        channel=_CHANNELS[channel],
    )


def office_product() -> Product:
    """An Office suite with a KMS client key: not Windows, and none of our business."""
    product = Product(
        id=product_id("office", "ProPlus", "VOLUME_KMSCLIENT"),
        name="Office 16, Office16ProPlusVL_KMS_Client edition",
        description="Office 16, VOLUME_KMSCLIENT channel",
        app=OFFICE_APP,
        channel=_CHANNELS["VOLUME_KMSCLIENT"],
    )
    product.give_key("LAB99", 2, codes.SL_INITIAL_GRACE, GRACE_MIN // 2)
    return product


def addon_product(edition: Edition) -> Product:
    """A Windows add-on with a key of its own: never what activation is about."""
    product = windows_product(edition, "VOLUME_MAK")
    product.id = product_id(edition.release, "addon", "VOLUME_MAK")
    product.name = f"Windows(R), {edition.edition_id}-Addon edition"
    product.addon = True
    product.give_key("Q7P2Y", 1, codes.SL_LICENSED_KMS, None)
    return product
