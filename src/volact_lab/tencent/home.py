"""Tencent Cloud as the cloud of the lab's servers."""

from __future__ import annotations

from collections.abc import Iterable

from volact_lab.cloud import LabCloud
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot
from volact_lab.tencent import handout
from volact_lab.tencent.estate import strangers
from volact_lab.tencent.front import TencentFront
from volact_lab.tencent.images import LICENSE


def _front(slots: Iterable[Slot], pool: Pool, regions: tuple[str, ...]) -> TencentFront:
    return TencentFront(slots, pool, regions, others=strangers(regions))


HOME = LabCloud(
    provider="tencent",
    scheme="tat",
    maker="Tencent Cloud",
    model="CVM",
    license=LICENSE,
    scenario="tencent",
    front=_front,
    address=handout.address,
    settings=handout.settings,
    secrets=handout.secrets,
    images=handout.own_images,
)
