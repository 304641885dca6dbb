"""Alibaba Cloud's API as the lab hands it out; fulfils ``volact_lab.cloud.CloudApi``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from volact_lab.alibaba.estate import strangers
from volact_lab.alibaba.front import AlibabaFront
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot


def front(slots: Iterable[Slot], pool: Pool, regions: tuple[str, ...]) -> AlibabaFront:
    """The API of all regions, not yet started."""
    return AlibabaFront(slots, pool, regions, others=strangers(regions))


def address(slot: Slot) -> str:
    """The address of a server."""
    return f"ecs://{slot.spec.region}/{slot.spec.instance_id}"


def settings(front: AlibabaFront, path: Path) -> dict[str, str]:
    """The account's keys of an inventory at a path."""
    return {
        "alibaba-endpoint": front.endpoint,
        "alibaba-credentials": _credentials_file(path).name,
    }


def secrets(front: AlibabaFront, path: Path) -> dict[Path, bytes]:
    """A file of profiles as the SDK reads it."""
    account = front.account
    text = (
        f"[default]\ntype = access_key\naccess_key_id = {account.access_key}\n"
        f"access_key_secret = {account.secret_key}\n"
    )
    return {_credentials_file(path): text.encode()}


def _credentials_file(path: Path) -> Path:
    return path.with_suffix(".alibaba-credentials")


def own_images() -> dict[str, tuple[str, str, str]]:
    """The list says of each server what its image means."""
    return {}
