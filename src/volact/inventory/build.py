"""A server out of its own table and what groups and defaults say beneath it.

The nearer table wins, key by key; a login's sources of a password replace each
other as a whole, tags add up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from volact.errors import InputError
from volact.inventory.fields import Fields
from volact.inventory.keys import CERTIFICATE, PASSPHRASES, PASSWORDS, said
from volact.inventory.target import (
    is_address,
    parse_address,
    require_reachable,
    require_secrecy,
)
from volact.model.account import Account
from volact.model.server import Address, Credential, Server, SshWay, WinRm

T = TypeVar("T")

_TOGETHER = (PASSWORDS, PASSPHRASES, CERTIFICATE)
_CREDENTIAL = {
    "password-env": "password_env",
    "password-file": "password_file",
    "password-command": "password_command",
    "keyring": "keyring",
    "password-held": "password_held",
    "key-file": "key_files",
    "key-passphrase-env": "passphrase_env",
    "key-passphrase-file": "passphrase_file",
    "key-passphrase-command": "passphrase_command",
    "certificate-file": "certificate_file",
    "certificate-key-file": "certificate_key_file",
}
_WINRM = {
    "winrm-transport": "auth",
    "winrm-tls": "tls",
    "ca-file": "ca_file",
    "certificate-validation": "verify",
}
_ACCOUNT = {
    "tencent-site": "site",
    "tencent-endpoint": "endpoint",
    "tencent-credentials": "credentials",
    "tencent-profile": "profile",
}
_SSH = {"jump": "jump", "jump-key-file": "jump_key_files", "ssh-config": "config"}

# What lies beneath a server's own table, the farthest first, given its tags.
Beneath = Callable[[tuple[str, ...]], Sequence[dict[str, Any]]]


def no_tables(tags: tuple[str, ...]) -> Sequence[dict[str, Any]]:
    """Beneath a server of a format that has neither defaults nor groups of its own."""
    return ()


def make_server(fields: Fields, beneath: Beneath = no_tables) -> Server:
    """The server of a table; ``InputError`` names the line of what is wrong."""
    address = _address(fields)
    own = said(fields)
    merged = _merged([*beneath(own.get("tags", ())), own])
    user = address.user or merged.get("user", "")
    server = Server(
        name=fields.text("name") or address.host or str(address),
        address=address,
        provider=merged.get("provider", ""),
        credential=Credential(user=user, **_named(merged, _CREDENTIAL)),
        known_hosts=merged.get("known-hosts", ""),
        tags=tuple(dict.fromkeys(merged.get("tags", ()))),
        winrm=WinRm(**_named(merged, _WINRM)),
        ssh=SshWay(**_named(merged, _SSH)),
        account=Account(**_named(merged, _ACCOUNT)),
        image=merged.get("image", ""),
        license=merged.get("license", ""),
    )
    if "jump" in own and own["jump"] and address.scheme != "ssh":
        raise fields.error("jump is for ssh:// only", "jump")
    return _placed(fields, require_secrecy, server)


def _address(fields: Fields) -> Address:
    text = fields.text("address")
    if not text:
        raise fields.error("has no address", hint='add address = "ssh://host"')
    address = _placed(fields, parse_address, text if is_address(text) else f"ssh://{text}")
    _placed(fields, require_reachable, address)
    return address


def _merged(tables: Sequence[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for table in tables:
        for group in _TOGETHER:
            if any(key in table for key in group):
                for key in group:
                    merged.pop(key, None)
        tags = (*merged.get("tags", ()), *table.get("tags", ()))
        merged.update(table)
        merged["tags"] = tags
    return merged


def _named(merged: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {field: merged[key] for key, field in names.items() if key in merged}


def _placed(fields: Fields, read: Callable[[Any], T], value: Any) -> T:
    try:
        return read(value)
    except InputError as error:
        raise fields.error(error.message, "address", error.hint) from error
