"""AWS's API as the lab starts and hands it out; fulfils ``volact_lab.cloud.CloudApi``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from volact_lab.aws.estate import strangers
from volact_lab.aws.front import AwsFront
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot


def front(slots: Iterable[Slot], pool: Pool, regions: tuple[str, ...]) -> AwsFront:
    """The API of all regions, not yet started."""
    return AwsFront(slots, pool, regions, others=strangers(regions))


def address(slot: Slot) -> str:
    """The address of a server."""
    return f"ssm://{slot.spec.region}/{slot.spec.instance_id}"


def settings(front: AwsFront, path: Path) -> dict[str, str]:
    """The account's keys of an inventory at a path."""
    return {"aws-endpoint": front.endpoint, "aws-credentials": _credentials_file(path).name}


def secrets(front: AwsFront, path: Path) -> dict[Path, bytes]:
    """A file of profiles as the SDK reads it."""
    account = front.account
    text = (
        f"[default]\naws_access_key_id = {account.access_key}\n"
        f"aws_secret_access_key = {account.secret_key}\n"
    )
    return {_credentials_file(path): text.encode()}


def _credentials_file(path: Path) -> Path:
    return path.with_suffix(".aws-credentials")


def own_images() -> dict[str, tuple[str, str, str]]:
    """Entitlement here is a matter of the instance, not of its image."""
    return {}
