"""What a command costs: wall time, CPU of all its processes, peak memory of all at once.

The command runs in a session of its own.  CPU is what the system counts for
it and the children that it waited for; memory is the largest sum of the
proportional shares of its processes, read a few times a second, or what
the system remembers of the process where there was only one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_EVERY_S = 0.5
_LIMIT_S = 1200.0


class CommandFailedError(Exception):
    """A visitor did not do what it came for."""


@dataclass(frozen=True)
class Cost:
    """What one run of a command took."""

    wall_s: float
    cpu_s: float
    memory_kb: int
    exit_code: int


def measure(
    command: Sequence[str],
    accept: tuple[int, ...] = (0,),
    environment: Mapping[str, str] | None = None,
    output: Path | None = None,
) -> Cost:
    """Run a command to its end; its output goes to a file or nowhere."""
    with tempfile.TemporaryFile() as errors, (output or Path(os.devnull)).open("wb") as out:
        begun = time.perf_counter()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        watch = _Watch(child.pid)
        try:
            _, status, used = os.wait4(child.pid, 0)
        finally:
            watch.end()
            _end_family(child.pid)
        wall = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in accept:
            errors.seek(0)
            said = errors.read().decode(errors="replace")[-2000:]
            raise CommandFailedError(f"{' '.join(command)}: exit code {child.returncode}: {said}")
    memory = watch.most_kb if watch.several else used.ru_maxrss
    return Cost(wall, used.ru_utime + used.ru_stime, memory, child.returncode)


class _Watch:
    """Reads the memory of a family of processes now and then; ends it when time is up."""

    def __init__(self, leader: int) -> None:
        self.most_kb = 0
        self.several = False
        self._leader = leader
        self._ends = time.monotonic() + _LIMIT_S
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """No more looks."""
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(_EVERY_S):
            pids = _family(self._leader)
            self.several |= len(pids) > 1
            if self.several:
                self.most_kb = max(self.most_kb, sum(map(_share_kb, pids)))
            if time.monotonic() > self._ends:
                _end_family(self._leader)


def _family(leader: int) -> list[int]:
    """A process, its descendants, and who else is in its session: tools leave either."""
    family = {leader}
    processes = sorted(_processes())
    for pid, parent, session in processes:
        if parent in family or session == leader:
            family.add(pid)
    there = {pid for pid, _, _ in processes}
    return sorted(family & there)


def _processes() -> Iterator[tuple[int, int, int]]:
    """Every process: its id, its parent's, its session's."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                fields = (entry / "stat").read_text("utf-8", "replace").rpartition(") ")[2].split()
                yield int(entry.name), int(fields[1]), int(fields[3])


def _share_kb(pid: int) -> int:
    """What a process has in memory, with its part of what it shares."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def _end_family(leader: int) -> None:
    """Nothing that a tool started stays behind."""
    for pid in _family(leader):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
