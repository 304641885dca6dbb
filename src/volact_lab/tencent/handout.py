"""A lab's inventory lines for servers behind the cloud's API, and the keys for it."""

from __future__ import annotations

from pathlib import Path

from volact_lab.ssh.slot import Slot
from volact_lab.tencent.front import TencentFront
from volact_lab.tencent.images import images


def address(slot: Slot) -> str:
    """The address of a server."""
    return f"tat://{slot.spec.region}/{slot.spec.instance_id}"


def settings(front: TencentFront, path: Path) -> dict[str, str]:
    """The account's keys of an inventory at a path."""
    return {
        "tencent-endpoint": front.endpoint,
        "tencent-credentials": _credentials_file(path).name,
    }


def secrets(front: TencentFront, path: Path) -> dict[Path, bytes]:
    """A file of profiles as the SDK reads it."""
    account = front.account
    text = f"[default]\nsecret_id = {account.secret_id}\nsecret_key = {account.secret_key}\n"
    return {_credentials_file(path): text.encode()}


def _credentials_file(path: Path) -> Path:
    return path.with_suffix(".credentials")


def own_images() -> dict[str, tuple[str, str, str]]:
    """Type, source and licence of the account's images that are not public."""
    return {
        image.id: (image.type, image.source, image.license)
        for image in images()
        if image.type != "PUBLIC_IMAGE"
    }
