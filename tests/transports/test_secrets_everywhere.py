"""Every secret is marked, and searched for where it must not be.

Searched: standard output and error with every library's log at its
finest, all reports, the arguments of every process, the scripts and commands
that reach a server, and what passes in the clear on the network.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import pytest
from lab_thread import drawn_lab
from ssh_host import Host, Process, answers

from volact.cloud.registry import clouds

pytestmark = pytest.mark.xdist_group("cli-lab")

MARKS = {
    source: f"pass-{source}-w0rd"
    for source in ("env", "file", "command", "keyring", "clear", "passphrase", "wrong")
}
FORMATS = ("text", "json", "jsonl", "csv", "html")

# Beside volact in its process: a keyring, and every log there is on standard error.
_KEYRING = """\
import keyring.backend
class Ring(keyring.backend.KeyringBackend):
    priority = 1
    def get_password(self, service, user):
        return {value!r}
    set_password = None
"""
_LOUD = """\
import logging, os, sys
if os.environ.get("LOUD"):
    logging.basicConfig(level=1, stream=sys.stderr)
    try:
        import asyncssh
        asyncssh.set_debug_level(2)
    except ImportError:
        pass
"""


@dataclass
class Seen:
    """Everything that was to be seen of a run."""

    code: int = -1
    stdout: str = ""
    stderr: str = ""
    arguments: set[str] = field(default_factory=set)
    reports: dict[str, str] = field(default_factory=dict)

    def everything(self) -> dict[str, str]:
        return {
            "stdout": self.stdout,
            "stderr": self.stderr,
            "arguments": "\n".join(self.arguments),
            **self.reports,
        }


def processes() -> set[str]:
    """The numbers of all that run."""
    return {name for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208 - names alone


@contextmanager
def watched(arguments: set[str], folder: Path) -> Iterator[None]:
    """Meanwhile the command lines of all processes are gathered but those that were there.

    The command that prints a password ends once it was seen.
    """
    over = threading.Event()
    before = processes()

    def watch() -> None:
        there = before
        while not over.wait(0.05):
            there &= (now := processes())  # the number of one that has ended is free for another
            for number in now - there:
                with contextlib.suppress(OSError):
                    words = Path(f"/proc/{number}/cmdline").read_text("utf-8", errors="replace")
                    arguments.add(words)
                    if str(folder / "pw-command") in words:
                        (folder / "seen").touch()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def run(folder: Path, *args: str, **environ: str) -> Seen:
    """volact as a process of its own, as talkative as it and its libraries can be."""
    beside = folder / "beside"
    beside.mkdir(exist_ok=True)
    (beside / "sitecustomize.py").write_text(_LOUD)
    (beside / "markring.py").write_text(_KEYRING.format(value=MARKS["keyring"]))
    reports = {name: folder / f"report.{name}" for name in FORMATS}
    written = [word for name, path in reports.items() for word in ("--report", f"{name}={path}")]
    seen = Seen()
    with watched(seen.arguments, folder):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-X", "dev", "-W", "ignore", "-m", "volact", *args, "-v", *written),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "LOUD": "1",
                "PYTHONPATH": str(beside),
                "PYTHON_KEYRING_BACKEND": "markring.Ring",
                **environ,
            },
        )
        out, err = await process.communicate()
    seen.code, seen.stdout, seen.stderr = process.returncode or 0, out.decode(), err.decode()
    assert all(path.exists() for path in reports.values()), (seen.code, seen.stderr[-3000:])
    seen.reports = {name: path.read_text("utf-8") for name, path in reports.items()}
    return seen


def nowhere(marks: dict[str, str], texts: dict[str, str]) -> None:
    """No mark is in any text."""
    found = [
        (name, where) for name, mark in marks.items() for where in texts if mark in texts[where]
    ]
    assert found == []


async def _slowly(host: Host, process: Process, script: Path) -> None:
    """Long enough for every process to be seen."""
    await asyncio.sleep(0.3)
    await answers(host, process, script)


@asynccontextmanager
async def hosts(folder: Path) -> AsyncIterator[dict[str, Host]]:
    """A server for each source of a login, each with its own password."""
    made: dict[str, Host] = {}
    try:
        for source, mark in MARKS.items():
            home = folder / f"home-{source}"
            (home / "AppData/Local/Temp").mkdir(parents=True)
            made[source] = Host(home, behaviour=_slowly, password=mark)
            await made[source].start_server()
        made["wrong"].password = "another"
        yield made
    finally:
        for host in made.values():
            await host.stop()


def inventory(folder: Path, made: dict[str, Host]) -> Path:
    """An Ansible inventory with every source in it."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(folder / "key", passphrase=MARKS["passphrase"])
    made["passphrase"].keys = asyncssh.import_authorized_keys(key.export_public_key().decode())
    made["passphrase"].password = None
    (folder / "pw").write_text(MARKS["file"] + "\n")
    (folder / "pw-command").write_text(MARKS["command"] + "\n")
    prints = f"while [ ! -e {folder}/seen ]; do sleep 0.05; done; cat {folder}/pw-command"
    logins = {
        "env": "volact_password_env: PW_ENV",
        "file": "volact_password_file: pw",
        "command": f"volact_password_command: sh -c '{prints}'",
        "keyring": "volact_keyring: volact-test",
        "clear": f"ansible_password: {MARKS['clear']}",
        "passphrase": "volact_key_file: key\n      volact_key_passphrase_env: PW_KEY",
        "wrong": f"ansible_password: {MARKS['wrong']}",
    }
    lines = ["all:", "  vars:", "    volact_known_hosts: known", "  hosts:"]
    for source, host in made.items():
        lines += [
            f"    {source}:",
            "      ansible_host: 127.0.0.1",
            "      ansible_user: Administrator",
        ]
        lines += [f"      ansible_port: {host.port}", f"      {logins[source]}"]
    public = {f"[127.0.0.1]:{host.port}": host.key for host in made.values()}
    known = "".join(f"{name} {key.export_public_key().decode()}" for name, key in public.items())
    (folder / "known").write_text(known)
    (folder / "hosts.yml").write_text("\n".join(lines) + "\n")
    return folder / "hosts.yml"


async def test_no_login_over_ssh_leaves_a_trace(tmp_path: Path) -> None:
    async with hosts(tmp_path) as made:
        file = inventory(tmp_path, made)
        environ = {"PW_ENV": MARKS["env"], "PW_KEY": MARKS["passphrase"]}
        words = ("check", "-i", str(file), "--provider", "tencent", "--allow-commands")
        seen = await run(tmp_path, *words, **environ)
        # They really logged in, and really talked about it.
        assert {name for name, host in made.items() if host.scripts} == set(MARKS) - {"wrong"}
        assert made["wrong"].logins == ["password"]
        assert seen.stderr.count("DEBUG:asyncssh") > 100
        assert any("volact" in words and "check" in words for words in seen.arguments)
        assert any(str(tmp_path / "pw-command") in words for words in seen.arguments)
        sent = {
            f"sent to {name}": "\n".join(
                [*host.commands, *(script.decode("ascii") for script in host.scripts)]
            )
            for name, host in made.items()
        }
    nowhere(MARKS, {**seen.everything(), **sent})
    assert "wrong" in seen.reports["csv"]


class Tap:
    """A TCP port that passes everything on and keeps a copy."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.heard = bytearray()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pass(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far, to_far = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            await asyncio.gather(self._copy(near, to_far), self._copy(far, to_near))
        finally:
            for writer in (to_near, to_far):
                writer.close()

    async def _copy(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                self.heard += data
                to.write(data)
                await to.drain()
            to.write_eof()


@asynccontextmanager
async def tapped(inventory_file: Path, folder: Path) -> AsyncIterator[tuple[Path, list[Tap]]]:
    """The inventory of a lab with a tap in every way that is not SSH."""
    text = inventory_file.read_text("utf-8")
    taps: list[Tap] = []
    for address in sorted(set(re.findall(r'"((?:winrms?|http)://127\.0\.0\.1:\d+)"', text))):
        before, _, port = address.rpartition(":")
        tap = Tap(int(port))
        await tap.start()
        taps.append(tap)
        text = text.replace(f'"{address}"', f'"{before}:{tap.port}"')
    beside = inventory_file.with_name("tapped.toml")
    beside.write_text(text, "utf-8")
    try:
        yield beside, taps
    finally:
        for tap in taps:
            await tap.stop()


async def test_no_secret_of_a_mixed_fleet_leaves_a_trace(tmp_path: Path) -> None:
    with drawn_lab("mixed", 9, 3) as lab:
        files = {path.suffix: path.read_text() for path in lab.parent.glob("*credentials")}
        found = {
            name: re.search(r'(?:(?:secret_|access_)key(?:_secret)? = |Secret": ")([^\s"]+)', text)
            for name, text in files.items()
        }
        clouds_keys = {name: match[1] for name, match in found.items() if match}
        assert len(clouds_keys) == len(clouds())  # of every cloud
        key = lab.with_suffix(".key").read_text().splitlines()[1]
        password = lab.with_suffix(".password").read_text().strip()
        marks = {"password": password, "private key": key, **clouds_keys}
        assert all(len(mark) > 11 for mark in marks.values())
        async with tapped(lab, tmp_path) as (file, taps):
            seen = await run(tmp_path, "activate", "-i", str(file), "--yes", "--deadline", "900")
            heard = {
                f"heard on port {tap.port}": tap.heard.decode("latin-1")
                for tap in taps
                if tap.heard
            }
    assert seen.code in (0, 3, 4), seen.stderr[-2000:]
    assert len(heard) > 2
    assert "healthy" in seen.reports["csv"]
    nowhere(marks, {**seen.everything(), **heard})
