"""A command inside a limit of memory, and the most that it used."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_MB = 1024 * 1024


@dataclass(frozen=True)
class Ended:
    """How a command ended; ``limited``: whether the system held the limit itself."""

    code: int
    out: str
    err: str
    peak_mb: int
    wall_s: float
    limited: bool


def run(words: Sequence[str], env: Mapping[str, str], most_mb: int, longest_s: float) -> Ended:
    """Run a command to its end; one that takes longer is killed."""
    group = _group(most_mb)

    def enter() -> None:
        # Where there is no control group, at least the machine is kept from harm.
        if group is not None:
            (group / "cgroup.procs").write_text(str(os.getpid()))
        else:
            resource.setrlimit(resource.RLIMIT_AS, (8 * most_mb * _MB, 8 * most_mb * _MB))

    begun = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=dict(env),
            preexec_fn=enter,  # noqa: PLW1509  (no threads of ours hold a lock here)
        )
        code, peak_kb = _waited(process, begun + longest_s)
        peak = max(peak_kb // 1024, _peak(group))
        said, told = _read(out), _read(err)
    _remove(group)
    return Ended(code, said, told, peak, time.monotonic() - begun, group is not None)


@contextmanager
def limited(
    words: Sequence[str], most_mb: int
) -> Iterator[tuple[subprocess.Popen[str], Callable[[], int]]]:
    """A process inside a limit while it is used, and what tells the most that it used, in MB."""
    group = _group(most_mb)

    def enter() -> None:
        if group is not None:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    process = subprocess.Popen(
        words,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=enter,  # noqa: PLW1509  (no threads of ours hold a lock here)
    )
    try:
        yield process, lambda: max(_resident(process.pid) // 1024, _peak(group))
    finally:
        process.kill()
        process.communicate()
        _remove(group)


def _waited(process: subprocess.Popen[bytes], until: float) -> tuple[int, int]:
    """The exit code and the largest resident size, in KB.

    Not ``ru_maxrss``: that counts the process which the command was before it was started.
    """
    peak_kb = 0
    while True:
        peak_kb = max(peak_kb, _resident(process.pid))
        pid, status = os.waitpid(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, peak_kb
        if time.monotonic() > until:
            process.kill()
        time.sleep(0.02)


def _resident(pid: int) -> int:
    """The largest resident size so far, in KB; 0 once the process has ended."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _group(most_mb: int) -> Path | None:
    """A control group with this limit, ``None`` where none can be made."""
    for base, name in ((_CGROUP / "memory", "memory.limit_in_bytes"), (_CGROUP, "memory.max")):
        group = base / f"volact-chaos-{os.getpid()}"
        try:
            group.mkdir()
            (group / name).write_text(str(most_mb * _MB))
        except OSError:
            with suppress(OSError):
                group.rmdir()
            continue
        return group
    return None


def _peak(group: Path | None) -> int:
    for name in ("memory.max_usage_in_bytes", "memory.peak"):
        if group is not None and (group / name).exists():
            return int((group / name).read_text()) // _MB
    return 0


def _remove(group: Path | None) -> None:
    if group is not None:
        with suppress(OSError):
            group.rmdir()


def _read(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]
    text: bytes = file.read()  # type: ignore[attr-defined]
    return text.decode("utf-8", "replace")
