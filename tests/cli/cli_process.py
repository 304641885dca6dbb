"""Processes that tests start, interrupt, and never leave behind."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

# How long an interrupt may take to be noticed before it is sent once more: one that
# comes while Python is just about to wait for a key is noticed with the next.  Longer
# than a busy machine needs to save a run: a second one would end volact at once.
AGAIN_S = 30.0

# What processes are forked off is started once, also when tests run side by side.
FORKED = pytest.mark.xdist_group("forks")


@contextmanager
def started(command: Sequence[str], **settings: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process that has ended when the block has, by itself or not.

    Popen's own block waits for it without an end, also when a test has failed.
    """
    with subprocess.Popen(command, **settings) as process:
        try:
            yield process
            process.wait()
        finally:
            process.kill()
