"""What a lab's inventory says of servers behind the cloud's API, and the keys for it."""

from __future__ import annotations

from volact_lab.ssh.slot import Slot
from volact_lab.tencent.images import images
from volact_lab.tencent.signature import Account


def lines(slot: Slot, _stem: str) -> list[str]:
    """The address of a server."""
    return [f'address = "tat://{slot.spec.region}/{slot.spec.instance_id}"']


def credentials(account: Account) -> bytes:
    """A file of profiles as the SDK reads it."""
    text = f"[default]\nsecret_id = {account.secret_id}\nsecret_key = {account.secret_key}\n"
    return text.encode()


def own_images() -> dict[str, tuple[str, str, str]]:
    """Type, source and licence of the account's images that are not public."""
    return {
        image.id: (image.type, image.source, image.license)
        for image in images()
        if image.type != "PUBLIC_IMAGE"
    }
