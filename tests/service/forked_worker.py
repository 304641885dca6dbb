"""Worker processes that are forked off a Python which has imported what workers need.

To import it takes more CPU than most of what they do in a test.  They are processes of their
own all the same, which can be killed and stopped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import BinaryIO

import held_worker
import patient_worker
from forked_volact import FORKS

from volact.cli.entry import main

Main = Callable[[Sequence[str]], int]


class ForkedWorker:
    """A ``WorkerProcess``."""

    def __init__(self, main: Main, words: Sequence[str], log: BinaryIO) -> None:
        self._process = FORKS.Process(target=_run, args=(main, words, log.name))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        assert self._process.exitcode is not None, "it has ended"
        return self._process.exitcode

    def send_signal(self, sig: int, /) -> None:
        os.kill(self.pid, sig)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def _run(main: Main, words: Sequence[str], log: str) -> None:
    os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND), sys.stderr.fileno())
    sys.exit(main(words))


def _worker(words: Sequence[str]) -> int:
    return main(["worker", *words])


FORKED_WORKER = partial(ForkedWorker, _worker)
PATIENT_WORKER = partial(ForkedWorker, patient_worker.main)
HELD_WORKER = partial(ForkedWorker, held_worker.main)
