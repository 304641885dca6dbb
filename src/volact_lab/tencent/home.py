"""Tencent Cloud as the cloud of the lab's servers: its names."""

from __future__ import annotations

from volact_lab.cloud import LabCloud
from volact_lab.tencent.images import LICENSE

HOME = LabCloud(
    provider="tencent",
    scheme="tat",
    maker="Tencent Cloud",
    model="CVM",
    license=LICENSE,
    module="volact_lab.tencent.api",
)
