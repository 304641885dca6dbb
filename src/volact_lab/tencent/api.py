"""Tencent Cloud's API as the lab starts and hands it out; fulfils ``volact_lab.cloud.CloudApi``."""

from __future__ import annotations

from collections.abc import Iterable

from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot
from volact_lab.tencent.estate import strangers
from volact_lab.tencent.front import TencentFront
from volact_lab.tencent.handout import address, own_images, secrets, settings

__all__ = ["address", "front", "own_images", "secrets", "settings"]


def front(slots: Iterable[Slot], pool: Pool, regions: tuple[str, ...]) -> TencentFront:
    """The API of all regions, not yet started."""
    return TencentFront(slots, pool, regions, others=strangers(regions))
