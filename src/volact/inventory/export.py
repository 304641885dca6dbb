"""Servers as an inventory file: TOML, CSV or Ansible's YAML.  Pure.

What is written reads back as the same servers, or it is reported.  Secrets are not written: a
password in clear in the file that was read is left out, and what was left out
is reported.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from volact.cloud.base import Cloud
from volact.cloud.registry import cloud_named, cloud_of_scheme
from volact.errors import InputError
from volact.inventory.ansible.patterns import expand
from volact.inventory.ansible.read import SKIP_GROUP
from volact.inventory.keys import FALSE, KEYS, PATHS, TRUE
from volact.inventory.target import parse_address
from volact.model.profile import Image
from volact.model.server import Address, Server
from volact.model.spreadsheet import guarded
from volact.model.text import OBEYED, count

# Settings of another transport, which defaults or a group may have for other servers.
_OF_OTHERS = {"ssh": ("winrm",), "winrm": ("ssh",), "winrms": ("ssh",)}
_NO_LOGIN = ("ssh", "winrm", "credential", "known_hosts")
_BLANK = Server(name="", address=Address(scheme="local"))


class Exported(msgspec.Struct, frozen=True):
    """A file's text, and what it does not hold."""

    text: str
    notes: tuple[str, ...]


def export(servers: Sequence[Server], images: Mapping[str, Image], format_: str) -> Exported:
    """The servers in one of ``FORMATS``."""
    records = [record(server) for server in servers]
    notes = []
    clear = sum(bool(server.credential.password_held) for server in servers)
    if clear:
        notes.append(
            count(
                clear,
                "passwords in clear are not exported ({n} server): name where they are with {keys}",
                "passwords in clear are not exported ({n} servers): name where they are with "
                "{keys}",
                keys="password-env, password-command or keyring",
            )
        )
    if images and format_ != "toml":
        notes.append(
            count(
                len(images),
                "what is known of {n} image is exported to toml only",
                "what is known of {n} images is exported to toml only",
            )
        )
    changed = sum(map(_CHANGED.get(format_, lambda _: False), records))
    if changed:
        notes.append(
            count(
                changed,
                "{n} server is read back otherwise: {format} cannot spell one of its values",
                "{n} servers are read back otherwise: {format} cannot spell one of their values",
                format=format_,
            )
        )
    return Exported(FORMATS[format_](records, images), tuple(notes))


def record(server: Server) -> dict[str, Any]:
    """A server under the keys of the TOML form; what is as usual is left out."""
    values: dict[str, Any] = {"name": server.name, "address": _address(server.address)}
    for key, (_, place) in KEYS.items():
        if key == "password-held" or (key == "user" and server.address.user):
            continue
        part = place.partition(".")[0]
        if part in _OF_OTHERS.get(server.address.scheme, _NO_LOGIN):
            continue
        cloud = cloud_named(part)
        if cloud is not None and cloud.scheme != server.address.scheme:
            continue
        value, usual = _at(server, place, cloud), _at(_BLANK, place, cloud)
        if value != usual:
            values[key] = _plain(key, value)
    return values


def _at(server: Server, place: str, cloud: Cloud | None) -> Any:
    if cloud is not None:
        return getattr(cloud.settings_of(server.account), place.partition(".")[2])
    value: Any = server
    for part in place.split("."):
        value = getattr(value, part)
    return value


def _plain(key: str, value: Any) -> Any:
    if key == "jump":
        return ",".join(_address(hop).removeprefix("ssh://") for hop in value) or "none"
    if key == "ssh-config":
        return False if value is None else value
    if key == "expect":
        return [str(each) for each in value]
    return list(value) if isinstance(value, tuple) else value


def _address(address: Address) -> str:
    scheme, sign, place = str(address).partition("://")
    user = f"{quote(address.user, safe='')}@" if address.user else ""
    return f"{scheme}{sign}{user}{place}"


def _toml(records: Sequence[dict[str, Any]], images: Mapping[str, Image]) -> str:
    parts = []
    if images:
        lines = ["[images]"]
        for name, image in images.items():
            said = {key: word for key, word in msgspec.to_builtins(image).items() if word}
            inline = ", ".join(f"{key} = {_quoted(word)}" for key, word in said.items())
            lines.append(f"{_quoted(name)} = {{{inline}}}")
        parts.append("\n".join(lines))
    for values in records:
        lines = [f"{key} = {_quoted(value)}" for key, value in values.items()]
        parts.append("\n".join(["[[server]]", *lines]))
    return "\n\n".join(parts) + "\n"


def _quoted(value: Any) -> str:
    """As TOML and YAML write it; what a terminal would obey, as escapes of theirs."""
    return OBEYED.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _csv(records: Sequence[dict[str, Any]], _: Mapping[str, Image]) -> str:
    used = {key for values in records for key in values}
    columns = ["name", "address", *(key for key in KEYS if key in used)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for values in records:
        writer.writerow([_cell(key, values.get(key, "")) for key in columns])
    return out.getvalue()


def _cell(key: str, value: Any) -> str:
    if key == "skip" and _is_flag(value):
        value = True
    if isinstance(value, bool):
        return "true" if value else "false"
    if key == "expect":
        value = [word.replace(";", ",") for word in value]  # ; separates several
    if isinstance(value, list):
        value = shlex.join(value) if key.endswith("command") else ";".join(value)
    return guarded(value, whole=key.endswith("command"))


def _is_flag(reason: Any) -> bool:
    """Whether a reason to skip a server is read as true or false where all is text."""
    return isinstance(reason, str) and reason.strip().lower() in TRUE + FALSE


def _trimmed(values: dict[str, Any]) -> bool:
    """Whether a text loses blanks at its ends, or a reason is read as true or false."""
    texts = (value for value in values.values() if isinstance(value, str))
    return _is_flag(values.get("skip")) or any(text != text.strip() for text in texts)


def _divided(values: dict[str, Any]) -> bool:
    """Whether a text, or a text in a list, is another one in CSV."""
    paths = [path for key in PATHS for path in values.get(key, ())]
    return (
        _trimmed(values)
        or any(re.search(r"[;,\s]", tag) for tag in values.get("tags", ()))
        or any(";" in text for text in (*paths, *values.get("expect", ())))
        or any(path != path.strip() for path in paths)
    )


def _expanded(values: dict[str, Any]) -> bool:
    """Whether Ansible takes a name for a range or a host with its port, or text for a template."""
    if _trimmed(values):
        return True
    try:
        names, port = expand(values["name"])
    except InputError:
        return True
    return bool(port) or names != [values["name"]] or "{{" in str(values) or "{%" in str(values)


_CHANGED: dict[str, Callable[[dict[str, Any]], bool]] = {"csv": _divided, "ansible": _expanded}


def _ansible(records: Sequence[dict[str, Any]], _: Mapping[str, Image]) -> str:
    lines = ["---", "all:", "  hosts:"]
    groups: dict[str, list[str]] = {}
    for values in records:
        lines.append(f"    {_quoted(values['name'])}:")
        for name, value in _variables(values).items():
            lines.append(f"      {name}: {_quoted(value)}")
        for tag in values.get("tags", ()):
            if tag not in _NO_GROUPS:
                groups.setdefault(tag, []).append(values["name"])
    if groups:
        lines.append("  children:")
    for group, names in sorted(groups.items()):
        lines += [f"    {_quoted(group)}:", "      hosts:"]
        lines += [f"        {_quoted(name)}:" for name in names]
    return "\n".join(lines) + "\n"


def _variables(values: dict[str, Any]) -> dict[str, Any]:
    """A host's variables: Ansible's own where it has one, ``volact_...`` for the rest."""
    found: dict[str, Any] = _ansible_address(values)
    rest = {key: value for key, value in values.items() if key not in _SAID_APART}
    keys = rest.get("key-file", [])
    if len(keys) == 1:
        found["ansible_ssh_private_key_file"] = rest.pop("key-file")[0]
    own = [tag for tag in values.get("tags", ()) if tag in _NO_GROUPS]
    rest |= {"tags": own} if own else {}
    if _is_flag(rest.get("skip")):
        rest["skip"] = True
    if SKIP_GROUP in values.get("tags", ()):
        rest.setdefault("skip", False)  # a tag of that name is not the group's meaning
    for key, value in rest.items():
        found[f"volact_{key.replace('-', '_')}"] = value
    return found


_SAID_APART = ("name", "address", "user", "tags")
_NO_GROUPS = ("all", "ungrouped")  # groups that every Ansible inventory has


def _ansible_address(values: dict[str, Any]) -> dict[str, Any]:
    address = parse_address(values["address"])
    if address.scheme == "local":
        return {"ansible_connection": "local"}
    if cloud_of_scheme(address.scheme) is not None:
        return {"volact_address": values["address"]}
    found: dict[str, Any] = {"ansible_host": address.host}
    if address.scheme != "ssh":
        found["ansible_connection"] = "winrm"
        secure = address.scheme == "winrms" or values.get("winrm-tls", address.port == 5986)
        found["ansible_winrm_scheme"] = "https" if secure else "http"
    if address.port:
        found["ansible_port"] = address.port
    if user := values.get("user") or address.user:
        found["ansible_user"] = user
    return found


InventoryWriter = Callable[[Sequence[dict[str, Any]], Mapping[str, Image]], str]
FORMATS: dict[str, InventoryWriter] = {"toml": _toml, "csv": _csv, "ansible": _ansible}
