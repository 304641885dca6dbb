"""What the lab hands out: an inventory file, and the secrets next to it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from volact.errors import InputError
from volact.transports.ssh_library import asyncssh
from volact_lab.cloud import CloudFront, cloud_of, home
from volact_lab.faults.images import OWN_LICENSE
from volact_lab.faults.rare import PROVIDERS
from volact_lab.ssh.slot import Slot
from volact_lab.windows.setup import public_image
from volact_lab.winrm import handout as winrm
from volact_lab.winrm.identity import Identities

FIRST_LINE = "# Simulated servers of a lab: they exist as long as it runs.\n"


@dataclass(frozen=True, slots=True)
class Logins:
    """The keys and the password of a lab.  ``old_key`` is what rebuilt servers had."""

    provider: str
    password: str
    client_key: asyncssh.SSHKey
    host_key: asyncssh.SSHKey
    old_key: asyncssh.SSHKey
    identities: Identities
    clouds: Mapping[str, CloudFront]  # by the scheme of their addresses


def write(path: Path, slots: tuple[Slot, ...], logins: Logins) -> None:
    """Write the inventory and the files it names."""
    password, key = path.with_suffix(".password"), path.with_suffix(".key")
    hosts = path.with_suffix(".known_hosts")
    _write_secret(password, f"{logins.password}\n".encode())
    _write_secret(key, logins.client_key.export_private_key())
    for scheme, front in logins.clouds.items():
        for file, data in cloud_of(scheme).api.secrets(front, path).items():
            _write_secret(file, data)
    if any(slot.spec.transport == "winrm" for slot in slots):
        _write_certificates(path, logins.identities)
    hosts.write_text("".join(_host_line(slot, logins) for slot in slots), "utf-8")
    parts = [
        FIRST_LINE,
        _table("defaults", _defaults(logins, path)),
        _images(slots),
        *(_server(slot, path.stem) for slot in slots),
    ]
    path.write_text("\n".join(parts), "utf-8")


def _write_secret(path: Path, data: bytes) -> None:
    """Only for its owner, from the first moment on, where the system knows owners."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise InputError("is no regular file", "choose another name", where=str(path))
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _write_certificates(path: Path, identities: Identities) -> None:
    for file, (data, secret) in winrm.certificates(path, identities).items():
        _write_secret(file, data) if secret else file.write_bytes(data)


def _host_line(slot: Slot, logins: Logins) -> str:
    key = logins.old_key if slot.line == "host-key" else logins.host_key
    public = key.export_public_key().decode("ascii").split()[:2]
    return f"[127.0.0.1]:{slot.reached_by} {' '.join(public)}\n"


def _defaults(logins: Logins, path: Path) -> dict[str, str]:
    return {
        "provider": logins.provider,
        "user": "Administrator",
        "password-file": path.with_suffix(".password").name,
        "known-hosts": path.with_suffix(".known_hosts").name,
        **{
            key: value
            for scheme, front in logins.clouds.items()
            for key, value in cloud_of(scheme).api.settings(front, path).items()
        },
    }


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _table(name: str, values: dict[str, str]) -> str:
    lines = (f"{key} = {_text(value)}\n" for key, value in values.items())
    return f"[{name}]\n{''.join(lines)}"


def _images(slots: Iterable[Slot]) -> str:
    own = [slot.spec for slot in slots if slot.spec.cloud.is_home]
    used = {public_image(spec.release, spec.language) for spec in own}
    public = ("PUBLIC_IMAGE", "OFFICIAL", home().license)
    rows = {**dict.fromkeys(sorted(used), public), **home().api.own_images()}
    lines = (
        f'{_text(name)} = {{ type = "{kind}", source = "{source}", license = "{license_}" }}\n'
        for name, (kind, source, license_) in rows.items()
    )
    return f"[images]\n{''.join(lines)}"


def _ssh_lines(slot: Slot, stem: str) -> list[str]:
    lines = [f'address = "ssh://127.0.0.1:{slot.reached_by}"']
    return [*lines, f"key-file = {_text(f'{stem}.key')}"] if slot.spec.key_login else lines


def _cloud_lines(slot: Slot, _stem: str) -> list[str]:
    return [f"address = {_text(slot.spec.cloud.api.address(slot))}"]


# The inventory's lines for address and login, by transport; others are the cloud's.
_REACH: dict[str, Callable[[Slot, str], list[str]]] = {"ssh": _ssh_lines, "winrm": winrm.lines}


def _server(slot: Slot, stem: str) -> str:
    spec = slot.spec
    tags = [f"win{spec.release.replace(' ', '').lower()}", spec.language]
    tags += ["core"] if spec.core else []
    lines = [
        "[[server]]",
        f"name = {_text(spec.name)}",
        *_REACH.get(spec.transport, _cloud_lines)(slot, stem),
        f"tags = [{', '.join(_text(tag) for tag in tags)}]",
    ]
    elsewhere = [] if spec.cloud.is_home else [spec.cloud.provider]
    elsewhere += [PROVIDERS[fault] for fault in spec.faults if fault in PROVIDERS]
    lines += [f"provider = {_text(name)}" for name in elsewhere]
    if spec.cloud.says_license:
        lines.append(f"license = {_text(spec.cloud.license)}")
    if OWN_LICENSE in spec.faults:
        lines.append('license = "BYOL"')
    if spec.user != "Administrator" and not spec.by_cloud:
        lines.append(f"user = {_text(spec.user)}")
    return "\n".join(lines) + "\n"
