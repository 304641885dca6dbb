"""Azure as a cloud of the lab's servers: its names."""

from __future__ import annotations

import string
from typing import Any

from volact_lab.cloud import LabCloud

_SUBSCRIPTION = "0a1b2c3d-1111-4222-8333-0123456789ab"


def _metadata(machine: Any) -> dict[str, str]:
    """What the metadata service answers: which Azure it is, and the server's own address."""
    network = "network/interface/0/ipv4/ipAddress/0"
    return {
        "compute/azEnvironment": "AzurePublicCloud",
        "compute/name": machine.spec.instance_id,
        f"{network}/publicIpAddress": f"20.0.0.{machine.spec.index % 250 + 1}",
    }


HOME = LabCloud(
    provider="azure",
    scheme="azure",
    maker="Microsoft Corporation",
    model="Virtual Machine",
    license="MicrosoftWindowsServer",
    module="volact_lab.azure.api",
    regions=(f"{_SUBSCRIPTION}/lab-web", f"{_SUBSCRIPTION}/lab-db"),
    says_license=True,
    id_prefix="vm-",
    id_letters=string.ascii_lowercase + string.digits,
    id_length=10,
    metadata=_metadata,
)
