"""Azure's API as the lab hands it out; fulfils ``volact_lab.cloud.CloudApi``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from volact_lab.azure.estate import strangers
from volact_lab.azure.front import AzureFront
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot


def front(slots: Iterable[Slot], pool: Pool, regions: tuple[str, ...]) -> AzureFront:
    """The API of all groups, not yet started."""
    return AzureFront(slots, pool, others=strangers(regions))


def address(slot: Slot) -> str:
    """The address of a server."""
    return f"azure://{slot.spec.region}/{slot.spec.instance_id}"


def settings(front: AzureFront, path: Path) -> dict[str, str]:
    """The account's keys of an inventory at a path."""
    return {
        "azure-endpoint": front.endpoint,
        "azure-credentials": _credentials_file(path).name,
        "azure-authorities": _authorities_file(path).name,
    }


def secrets(front: AzureFront, path: Path) -> dict[Path, bytes]:
    """A principal as the command line writes it, and the certificate behind the API."""
    own = front.tokens.principal
    told = {
        "clientId": own.client_id,
        "clientSecret": own.client_secret,
        "tenantId": own.tenant_id,
        "activeDirectoryEndpointUrl": front.endpoint,
    }
    text = json.dumps(told, indent=1)
    return {
        _credentials_file(path): f"{text}\n".encode(),
        _authorities_file(path): front.authority_pem,
    }


def _credentials_file(path: Path) -> Path:
    return path.with_suffix(".azure-credentials")


def _authorities_file(path: Path) -> Path:
    return path.with_suffix(".azure-authorities")


def own_images() -> dict[str, tuple[str, str, str]]:
    """Entitlement here is a matter of the machine's own list entry."""
    return {}
