"""This machine as a server: the file, the execution, its end; by a shell in place of cmd.

The real script on a real Windows Script Host is in tests/wine.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import tempfile
import time
from pathlib import Path

import pytest
from virtual_time import pass_time

from volact.errors import InputError, TransportError
from volact.inventory import parse_target
from volact.transports.base import MAX_OUTPUT
from volact.transports.local import LocalTransport, require_windows

NAME = "volact-0123456789abcdef"


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go, to see what is left there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def shell(script: str) -> LocalTransport:
    """A transport whose command is a shell script; $1 is the name of the file."""
    return LocalTransport(("/bin/sh", "-c", script, "sh"))


async def test_output_status_and_times_come_back(temp: Path) -> None:
    before = time.time()
    raw = await shell("cat *.bat | tr -d '\\r'; echo err >&2; printf '%s\\n' $1; exit 3").run(
        b"one\r\ntwo\r\n", name=NAME, deadline_s=120
    )
    assert raw.stdout == f"one\ntwo\n.\\{NAME}.bat\n".encode()
    assert (raw.stderr, raw.exit_status) == (b"err\n", 3)
    assert before <= raw.asked <= raw.answered <= time.time()
    assert list(temp.iterdir()) == []


async def test_the_folder_is_for_this_account_alone(temp: Path) -> None:
    raw = await shell("stat -c %a . ; pwd").run(b"", name=NAME, deadline_s=120)
    mode, folder = raw.stdout.decode().split()
    assert mode == "700"
    assert Path(folder).parent == temp


async def test_a_deadline_ends_every_process(temp: Path) -> None:
    pids = temp / "pids"
    # More output than pipes hold: once the ids are written it is read, so the deadline is set.
    script = f"head -c 900000 /dev/zero; sleep 600 & echo $! $$ > {pids}; wait"
    run = shell(script).run(b"", name=NAME, deadline_s=300)
    task = asyncio.ensure_future(run)
    await _written(pids)
    pass_time(300)
    with pytest.raises(TransportError, match=r"did not finish within 300 s") as caught:
        await task
    assert caught.value.kind == "timeout"
    await _gone(pids)
    assert list(temp.iterdir()) == [pids]


async def test_who_is_given_up_ends_every_process(temp: Path) -> None:
    pids = temp / "pids"
    run = shell(f"sleep 600 & echo $! $$ > {pids}; wait").run(b"", name=NAME, deadline_s=600)
    task = asyncio.ensure_future(run)
    await _written(pids)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _gone(pids)


@pytest.mark.parametrize("turns", [*range(12), 20, 40])
async def test_who_is_given_up_while_the_script_starts_ends_every_process(
    temp: Path, turns: int
) -> None:
    """The seconds that its child sleeps are its name among all processes."""
    seconds = f"600.{secrets.randbelow(10**12):012}"
    run = shell(f"sleep {seconds} & wait").run(b"", name=NAME, deadline_s=600)
    task = asyncio.ensure_future(run)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _sleeping(seconds) == []
    assert list(temp.iterdir()) == []


def _sleeping(seconds: str) -> list[str]:
    """The processes that sleep that long."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and seconds in (entry / "cmdline").read_text("utf-8"):
                found.append(entry.name)
    return found


async def _written(pids: Path) -> None:
    """Wait until the ids are in the file."""
    while not (pids.exists() and pids.read_text().endswith("\n")):
        await asyncio.sleep(0.01)


async def _gone(pids: Path) -> None:
    """Wait until the processes whose ids are in a file have ended."""
    for pid in pids.read_text().split():
        while _lives(pid):
            await asyncio.sleep(0.01)


def _lives(pid: str) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def test_output_is_bounded(temp: Path) -> None:
    with pytest.raises(TransportError, match="wrote more than") as caught:
        await shell("yes x").run(b"", name=NAME, deadline_s=120)
    assert caught.value.kind == "protocol"
    raw = await shell(f"head -c {MAX_OUTPUT} /dev/zero").run(b"", name=NAME, deadline_s=120)
    assert len(raw.stdout) == MAX_OUTPUT


async def test_a_cmd_that_is_not_there(temp: Path) -> None:
    with pytest.raises(TransportError, match="cannot be run here: No such file") as caught:
        await LocalTransport(("/no/such/cmd.exe",)).run(b"", name=NAME, deadline_s=5)
    assert caught.value.kind == "agent"
    assert list(temp.iterdir()) == []


def test_local_is_for_windows() -> None:
    servers = [parse_target("local")]
    require_windows(servers, "win32")
    require_windows([parse_target("ssh://h")], "linux")
    with pytest.raises(InputError, match="local works only on a Windows Server"):
        require_windows(servers, "linux")
    assert sys.platform != "win32"


async def test_a_machine_without_a_temporary_folder_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(TransportError, match="cannot be run here: No such file"):
        await shell("true").run(b"", name=NAME, deadline_s=120)
