"""Real servers in a network of their own: a namespace with a firewall, Samba and others in it.

What is there: Samba's DCE/RPC services, listeners that answer as a KMS host may, ports
that nftables drops or rejects, and addresses where nothing is.  impacket's DCE/RPC
server takes one connection in its life, so each test starts one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
SAMBA = Path("/usr/libexec/samba/samba-dcerpcd")
_TOOLS = {"ip": "iproute2", "nft": "nftables"}
DROPPED, RESET, PORT_UNREACHABLE, PROHIBITED, CLOSED = 2001, 2002, 2003, 2004, 2999
# Refuses what is asked a second time, so that a refusal takes as long as on Windows.
REFUSED_LATE = 2005
# Ports of the listeners in ``listeners.py``, by what they do.
LISTENERS = {
    "silent": 3001,
    "http": 3002,
    "hangs up": 3003,
    "resets": 3004,
    "naks": 3005,
    "resets at once": 3006,
}
ENDPOINT_MAPPER = 135
_RULES = f"""
table inet volact {{
  chain input {{
    type filter hook input priority 0; policy accept;
    tcp dport {DROPPED} drop
    tcp dport {RESET} reject with tcp reset
    tcp dport {PORT_UNREACHABLE} reject with icmp type port-unreachable
    tcp dport {PROHIBITED} reject with icmp type admin-prohibited
    tcp dport {REFUSED_LATE} numgen inc mod 2 0 drop
    tcp dport {REFUSED_LATE} reject with tcp reset
  }}
}}
"""
_SMB_CONF = """
[global]
  workgroup = LAB
  netbios name = LAB
  server role = standalone server
  interfaces = {address}
  bind interfaces only = yes
  rpc start on demand helpers = no
  passdb backend = smbpasswd:{base}/smbpasswd
  private dir = {base}/private
  state directory = {base}/state
  cache directory = {base}/cache
  lock directory = {base}/lock
  pid directory = {base}/pid
  ncalrpc dir = {base}/ncalrpc
  log file = {base}/log
"""


def missing() -> str:
    """The Debian packages that are needed and not there, as a sentence, or ``""``."""
    absent = [package for tool, package in _TOOLS.items() if shutil.which(tool) is None]
    absent += [] if SAMBA.exists() else ["samba"]
    if absent:
        return f"needs the Debian package(s) {' '.join(absent)}"
    return "" if os.geteuid() == 0 else "needs root: a network namespace is made for it"


@dataclass(frozen=True)
class NetworkWorld:
    """The namespace; ``address`` is where its servers are, ``vacant`` where nothing is."""

    name: str
    address: str
    vacant: str
    samba_port: int

    def at(self, port: int) -> str:
        """``address:port``."""
        return f"{self.address}:{port}"


@contextlib.contextmanager
def network_world(base: Path) -> Iterator[NetworkWorld]:
    """Make it; take everything away at the end."""
    tag = secrets.token_hex(3)
    name, here, there = f"volact-{tag}", f"vo{tag}a", f"vo{tag}b"
    net = f"10.{200 + secrets.randbelow(50)}.{secrets.randbelow(250)}"
    address = f"{net}.2"
    with contextlib.ExitStack() as stack:
        _ip("netns", "add", name)
        stack.callback(_ip, "netns", "delete", name)
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        _ip("address", "add", f"{net}.1/24", "dev", here)
        _ip("link", "set", here, "up")
        for words in (
            ("address", "add", f"{address}/24", "dev", there),
            ("link", "set", there, "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", name, *words)
        _run("ip", "netns", "exec", name, "nft", "-f", "-", text=_RULES)
        stack.enter_context(_started(name, sys.executable, _HERE / "listeners.py", address))
        stack.enter_context(_samba(name, address, base))
        for port in (*LISTENERS.values(), ENDPOINT_MAPPER):
            _wait_for(address, port)
        yield NetworkWorld(name, address, f"{net}.3", _samba_port(address))


@contextlib.contextmanager
def impacket_server() -> Iterator[str]:
    """impacket's DCE/RPC server, which offers the KMS interface: ``127.0.0.1:<port>``."""
    command = [sys.executable, str(_HERE / "impacket_server.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            _wait_until(lambda: _listening(port), f"impacket's server on port {port}")
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()


@contextlib.contextmanager
def _samba(name: str, address: str, base: Path) -> Iterator[None]:
    for folder in ("private", "state", "cache", "lock", "pid", "ncalrpc"):
        (base / folder).mkdir(parents=True)
    conf = base / "smb.conf"
    conf.write_text(_SMB_CONF.format(address=address, base=base))
    flags = ("-F", "--libexec-rpcds", f"--configfile={conf}", "--no-process-group")
    with _started(name, SAMBA, *flags, "--debug-stdout"):
        yield


@contextlib.contextmanager
def _started(name: str, *command: str | Path) -> Iterator[None]:
    """A program in the namespace; it and what it started are ended, each by its id."""
    quiet = subprocess.DEVNULL
    full = ["ip", "netns", "exec", name, *map(str, command)]
    with subprocess.Popen(full, stdin=quiet, stdout=quiet, stderr=quiet) as process:
        try:
            yield
        finally:
            process.terminate()
            for pid in _run("ip", "netns", "pids", name).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), 15)


def _samba_port(address: str) -> int:
    """A dynamic port of one of Samba's services: the first that takes a connection."""
    found: list[int] = []

    def opened() -> bool:
        found.extend(port for port in range(49152, 49160) if _connects(address, port))
        return bool(found)

    _wait_until(opened, "a dynamic port of samba-dcerpcd")
    return found[0]


def _wait_for(address: str, port: int) -> None:
    _wait_until(lambda: _connects(address, port), f"{address}:{port}")


def _wait_until(there: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline, f"nothing came of {what}"
        time.sleep(0.05)


def _listening(port: int) -> bool:
    """As the kernel lists it: a connection to see it would be the only one that is taken."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)


def _connects(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
        return True
    return False


def _ip(*words: str) -> None:
    _run("ip", *words)


def _run(*command: str, text: str = "") -> str:
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout
