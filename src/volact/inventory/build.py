"""A server out of its own table, with groups and defaults beneath it.

The nearer table wins, key by key; a login's sources of a password replace each
other as a whole; tags and accepted findings add up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from volact.cloud.registry import cloud_of_scheme
from volact.inventory.expect import nearest
from volact.inventory.fields import Fields
from volact.inventory.keys import CERTIFICATE, KEYS, PASSPHRASES, PASSWORDS, said
from volact.inventory.target import is_address, parse_address, url_of
from volact.model.server import Address, Credential, Server, SshRoute, WinRm, require_secrecy
from volact.model.text import say

T = TypeVar("T")

_ADDED = ("tags", "expect")
_TOGETHER = (PASSWORDS, PASSPHRASES, CERTIFICATE)
_PARTS: dict[str, type[msgspec.Struct]] = {
    "credential": Credential,
    "ssh": SshRoute,
    "winrm": WinRm,
}

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
    if address.user:
        merged["user"] = address.user
    merged["tags"] = tuple(dict.fromkeys(merged["tags"]))
    merged["expect"] = nearest(merged["expect"])
    server = Server(
        name=fields.text("name") or address.host or str(address),
        address=address,
        **_placed_values(merged, address),
    )
    if "jump" in own and own["jump"] and address.scheme != "ssh":
        raise fields.error(say("jump is for ssh:// only"), "jump")
    return _placed(fields, require_secrecy, server)


def _address(fields: Fields) -> Address:
    text = fields.text("address")
    if not text:
        raise fields.error(say("has no address"), hint=say("give it one, such as ssh://10.0.0.5"))
    return _placed(fields, parse_address, text if is_address(text) else url_of("ssh", text))


def _merged(tables: Sequence[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for table in tables:
        for group in _TOGETHER:
            if any(key in table for key in group):
                for key in group:
                    merged.pop(key, None)
        added = {key: (*merged.get(key, ()), *table.get(key, ())) for key in _ADDED}
        merged.update(table, **added)
    return merged


def _placed_values(merged: dict[str, Any], address: Address) -> dict[str, Any]:
    """The values of ``Server``'s fields, those with parts put together."""
    cloud = cloud_of_scheme(address.scheme)
    values: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for key, value in merged.items():
        part, _, field = KEYS[key].place.rpartition(".")
        (parts.setdefault(part, {}) if part else values)[field] = value
    for name, fields in parts.items():
        if name in _PARTS:
            values[name] = _PARTS[name](**fields)
        elif cloud is not None and cloud.name == name:
            values["account"] = cloud.settings(**fields)
    return values


def _placed(fields: Fields, read: Callable[[Any], T], value: Any) -> T:
    with fields.at_key("address"):
        return read(value)
