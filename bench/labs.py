"""A lab in processes of its own, and what they cost.

The shares of one fleet (``lab_part.py``) are joined into one inventory for
volact and one for Ansible.  CPU time and memory of the lab are read from the
system, so that they are reported apart from the tools that visit it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

HERE = Path(__file__).parent
_TICKS = os.sysconf("SC_CLK_TCK")
_START_S, _END_S = 300.0, 30.0
_HEAD, _SERVER = "lab", "[[server]]"


class LabFailedError(Exception):
    """There is nothing to visit."""


@dataclass(frozen=True)
class Lab:
    """A running lab: its inventories, and the processes that serve it."""

    servers: int
    inventory: Path
    for_ansible: Path
    agent: Path  # as it is uploaded at a check
    pids: tuple[int, ...]

    def cpu_s(self) -> float:
        """CPU seconds that the lab has used so far."""
        return sum(_cpu_s(pid) for pid in self.pids)

    def memory_kb(self) -> int:
        """The resident memory of the lab now."""
        return sum(_status_kb(pid, "VmRSS") for pid in self.pids)


@contextmanager
def lab(servers: int, folder: Path, parts: int = 2, options: Sequence[str] = ()) -> Iterator[Lab]:
    """A lab of some servers, spread over some processes; gone afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = min(parts, servers)
    with ExitStack() as stack:
        children = [
            stack.enter_context(_part(servers, n, parts, folder, options)) for n in range(parts)
        ]
        for number, child in enumerate(children):
            _wait(child, folder / f"part-{number}.ready", folder / f"part-{number}.log")
        inventory = _joined(folder, parts)
        yield Lab(
            servers,
            inventory,
            _for_ansible(folder, inventory, parts),
            folder / "agent.bat",
            tuple(child.pid for child in children),
        )


@contextmanager
def _part(
    servers: int, part: int, parts: int, folder: Path, options: Sequence[str]
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(HERE / "lab_part.py"), "--servers", str(servers)]
    command += ["--part", str(part), "--parts", str(parts), "--folder", str(folder)]
    command += options
    with (folder / f"part-{part}.log").open("wb") as log:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        yield child
    finally:
        assert child.stdin is not None
        child.stdin.close()  # which is what the part waits for
        try:
            child.wait(_END_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait(child: subprocess.Popen[bytes], ready: Path, log: Path) -> None:
    ends = time.monotonic() + _START_S
    while not ready.exists():
        if child.poll() is not None or time.monotonic() > ends:
            raise LabFailedError(f"the lab did not start: {log.read_text('utf-8', 'replace')}")
        time.sleep(0.05)


def _joined(folder: Path, parts: int) -> Path:
    """One inventory of all shares, under the secrets that they have in common."""
    texts = [(folder / f"part-{n}.toml").read_text("utf-8") for n in range(parts)]
    head = texts[0].partition(_SERVER)[0].replace('"part-0.', f'"{_HEAD}.')
    servers = "".join(_SERVER + text.partition(_SERVER)[2] for text in texts)
    for suffix in (".password", ".credentials"):
        secret = folder / f"{_HEAD}{suffix}"
        secret.write_bytes((folder / f"part-0{suffix}").read_bytes())
        secret.chmod(0o600)
    hosts = (folder / f"part-{n}.known_hosts" for n in range(parts))
    known = "".join(path.read_text("utf-8") for path in hosts)
    (folder / f"{_HEAD}.known_hosts").write_text(known, "utf-8")
    inventory = folder / f"{_HEAD}.toml"
    inventory.write_text(head + servers, "utf-8")
    return inventory


def _for_ansible(folder: Path, inventory: Path, parts: int) -> Path:
    """The same servers as an inventory of Ansible, with what the four commands need."""
    document = msgspec.toml.decode(inventory.read_bytes())
    keys: dict[str, dict[str, str]] = {}
    for number in range(parts):
        keys |= json.loads((folder / f"part-{number}.keys.json").read_text("utf-8"))
    defaults = document["defaults"]
    shared = {
        "ansible_connection": "paramiko",
        "ansible_shell_type": "cmd",
        "ansible_password": inventory.with_suffix(".password").read_text("utf-8").strip(),
    }
    hosts = {}
    for server in document["server"]:
        place = urlsplit(server["address"])
        hosts[server["name"]] = {
            "ansible_host": place.hostname,
            "ansible_port": place.port,
            "ansible_user": server.get("user", defaults["user"]),
            **keys[server["name"]],
        }
    path = folder / "ansible.json"
    path.write_text(json.dumps({"all": {"hosts": hosts, "vars": shared}}), "utf-8")
    return path


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _status_kb(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0
