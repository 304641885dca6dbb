"""Targets: lists of servers as people and other programs write them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from corpus import EXAMPLES, examples
from fuzz_base import Target

from volact.errors import VolactError
from volact.inventory import Inventory
from volact.inventory.export import FORMATS, export
from volact.inventory.load import read_inventory
from volact.transports.hostkeys import check_known_hosts

_INI = b"""[web]
web[01:03].example.com ansible_host=10.0.0.[5:6]
db-[a:c] ansible_port=5985 ansible_user='CORP\\svc x' # why
[win:children]
web
[win:vars]
ansible_connection=winrm
ansible_password="{{ vault }}"
ansible_winrm_scheme = https
"""
_YAML = b"""all:
  vars: {ansible_user: Administrator, ansible_connection: ssh}
  children:
    web:
      hosts:
        web[01:20:2].example.com: {ansible_host: 10.0.0.5, ansible_port: 22}
        db: &db
          ansible_password: !vault |
            $ANSIBLE_VAULT;1.1;AES256
            6162
        copy: *db
"""
_CSV = (
    b"sep=;\r\nName;Address;Port;Tags;Password;Key File\r\n"
    b'"a;b";10.0.0.1;22;"x, y";"p""w";k1;k2\r\n'
    b"\xef\xbb\xbfhost,ip,transport\r\nweb,fe80::1,winrm\r\n"
)
_KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0a1dQvXHcjFJrQ8B3rZ6kqI3RqZtZqX2m1eR1Yw8kB"
_HOSTS = b"[127.0.0.1]:2222 %s\n@cert-authority *.example.com %s\n|1|abc=|def= ssh-rsa AAAA\n" % (
    _KEY,
    _KEY,
)


@cache
def _folder() -> Path:
    """A folder for the file of the moment; inventories are read from files."""
    fast = Path("/dev/shm")
    path = tempfile.mkdtemp(prefix="volact-fuzz-", dir=fast if fast.is_dir() else None)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def _read(suffix: str) -> Callable[[bytes], None]:
    """Read an inventory, list its problems, and write it out in every format."""

    def feed(data: bytes) -> None:
        path = _folder() / f"fleet{suffix}"
        path.write_bytes(data)
        inventory = read_inventory(path)
        for problem in inventory.problems:
            _one_line(problem)
        if inventory.servers and len(inventory.servers) < 1000:
            _exported(inventory)

    return feed


def _exported(inventory: Inventory) -> None:
    for format_ in FORMATS:
        export(inventory.servers, inventory.images, format_)


def _one_line(problem: VolactError) -> None:
    assert len(problem.line().splitlines()) <= 1, problem.line()


def _known_hosts(data: bytes) -> None:
    path = _folder() / "known_hosts"
    path.write_bytes(data)
    check_known_hosts(str(path))


def _toml() -> Sequence[bytes]:
    return examples(".toml")


def _csv() -> Sequence[bytes]:
    return [*examples(".csv"), _CSV, _CSV.decode("utf-8-sig").encode("utf-16")]


def _ini() -> Sequence[bytes]:
    return [*examples(".ini"), _INI]


def _yaml() -> Sequence[bytes]:
    json_ = b'{"all": {"hosts": {"a": {"ansible_host": "h", "ansible_port": 5986}}}}'
    return [*examples(".yml"), _YAML, json_]


def _any() -> Sequence[bytes]:
    return [path.read_bytes() for path in sorted(EXAMPLES.iterdir())]


TARGETS = (
    Target("toml", "inventory in TOML", "bytes", _toml, _read(".toml"), 0.07),
    Target("csv", "inventory in CSV", "bytes", _csv, _read(".csv"), 0.08),
    Target("ansible-ini", "Ansible inventory, INI", "bytes", _ini, _read(".ini"), 0.08),
    Target("ansible-yaml", "Ansible inventory, YAML and JSON", "bytes", _yaml, _read(".yml"), 0.04),
    Target("any-file", "inventory whose name tells nothing", "bytes", _any, _read(""), 0.04),
    Target("known-hosts", "file of host keys", "bytes", lambda: [_HOSTS], _known_hosts, 0.03),
)
