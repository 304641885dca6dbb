"""AWS as a cloud of the lab's servers: its names."""

from __future__ import annotations

import json
from typing import Any

from volact_lab.cloud import LabCloud


def _metadata(machine: Any) -> dict[str, str]:
    """What the metadata service answers: the licence is included in the price."""
    document = {
        "accountId": "123456789012",
        "billingProducts": ["bp-6ba54002"],
        "imageId": "ami-0a1b2c3d4e5f60718",
        "instanceId": machine.spec.instance_id,
        "privateIp": machine.address,
        "region": machine.spec.region,
        "version": "2017-09-30",
    }
    return {"instance-identity/document": json.dumps(document, indent=2)}


HOME = LabCloud(
    provider="aws",
    scheme="ssm",
    maker="Amazon EC2",
    model="m5.large",
    license="RunInstances:0002",
    module="volact_lab.aws.api",
    regions=("eu-west-1", "us-east-2"),
    metadata=_metadata,
)
