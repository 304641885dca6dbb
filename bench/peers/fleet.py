"""The lab's inventory for the peers: standard library alone, as their environment has no volact."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

CONCURRENCY = 50
TRIVIAL = "exit 0"  # alike in cmd, PowerShell and bash
_SLMGR = r"cscript.exe //nologo C:\Windows\System32\slmgr.vbs"
# What people type on a Windows Server that is not activated (four_commands.yml too).
FOUR = (
    f"{_SLMGR} /skms {{kms_host}}",
    f"{_SLMGR} /ipk {{client_key}}",
    f"{_SLMGR} /ato",
    f"{_SLMGR} /dlv",
)


class Host(NamedTuple):
    """One server as a peer sees it."""

    name: str
    address: str
    port: int
    user: str


class Fleet(NamedTuple):
    """All servers, and what they share."""

    hosts: list[Host]
    password: str
    known_hosts: Path


def read_fleet(path: Path) -> Fleet:
    """The servers of a lab's inventory."""
    document = tomllib.loads(path.read_text("utf-8"))
    defaults = document["defaults"]
    hosts = []
    for server in document["server"]:
        place = urlsplit(server["address"])
        user = str(server.get("user", defaults["user"]))
        hosts.append(Host(str(server["name"]), str(place.hostname), int(place.port or 22), user))
    secret = path.parent / str(defaults["password-file"])
    known_hosts = path.parent / str(defaults["known-hosts"])
    return Fleet(hosts, secret.read_text("utf-8").splitlines()[0], known_hosts)
