"""What volact's own machine has room for: servers at a time, and processes.

Open files, memory and cores are read here; how a run uses them is decided elsewhere.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

MOST = 500
_SPARE_FILES = 100  # for the store, reports, the inventory and libraries
_FILES, _BYTES = 2, 2 * 1024 * 1024  # of one server at work, with room
_MOST_PROCESSES, _WORTH = 4, 250


def most_at_a_time() -> int:
    """A ceiling of at least 10 and at most 500; where a limit cannot be read it does not count."""
    found = [MOST, *(limit for limit in (_by_files(), _by_memory()) if limit is not None)]
    return max(10, min(found))


def _by_files() -> int | None:
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else (soft - _SPARE_FILES) // _FILES


def _by_memory() -> int | None:
    """A quarter of the memory that is free, on Linux."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return None
    free = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if free is None else int(free) * 1024 // 4 // _BYTES


def processes_for(servers: int) -> int:
    """How many processes hold the connections to so many servers; 1: this one alone.

    One costs half a second of CPU to start, which is what this many servers cost.
    """
    return max(1, min(_cores(), _MOST_PROCESSES, servers // _WORTH))


def _cores() -> int:
    """The cores that this process may use, by affinity and by the quota of a container."""
    allowed = getattr(os, "sched_getaffinity", None)
    cores = len(allowed(0)) if allowed else os.cpu_count() or 1
    with suppress(OSError, ValueError):  # not Linux, or no quota
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        cores = min(cores, math.ceil(int(quota) / int(period)))
    return cores
