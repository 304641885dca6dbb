"""Alibaba Cloud as a cloud of the lab's servers: its names."""

from __future__ import annotations

import string
from typing import Any

from volact_lab.cloud import LabCloud


def _metadata(machine: Any) -> dict[str, str]:
    """What the metadata service answers: the hosts of the server's own network."""
    return {
        "kms-server": "kms.cloud.aliyuncs.com",
        "ntp-server": "ntp.cloud.aliyuncs.com",
        "instance-id": machine.spec.instance_id,
    }


HOME = LabCloud(
    provider="alibaba",
    scheme="ecs",
    maker="Alibaba Cloud",
    model="Alibaba Cloud ECS",
    license="system",
    module="volact_lab.alibaba.api",
    regions=("cn-hangzhou", "ap-southeast-5"),
    says_license=True,
    id_prefix="i-bp1",
    id_letters=string.ascii_lowercase + string.digits,
    metadata=_metadata,
)
