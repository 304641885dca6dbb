"""Command lines in processes that are forked off a Python which has imported what they need.

To import it takes more CPU than most of what they do in a test.  They are processes of their
own all the same, which can be interrupted and killed.  Not for tests of how the program
starts and ends: those start it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.reduction import DupFd
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from volact.cli.entry import main

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([
    "__main__", "dbos", "psycopg", "sqlalchemy.dialects.sqlite", "volact.cli.app",
    "volact.cli.verbs.worker", "volact.cli.verbs.activate", "volact.cli.verbs.serve",
    "volact.cli.verbs.watch", "volact.service.schedules.scheduler", "volact.words",
])  # fmt: skip


class ForkedVolact:
    """As ``subprocess.Popen`` is with pipes for text; it has ended when its block has."""

    def __init__(
        self,
        *words: str,
        stdin: int | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        given = os.open(os.devnull, os.O_RDONLY) if stdin is None else os.dup(stdin)
        (out, to_out), (err, to_err) = os.pipe(), os.pipe()
        self.stdout, self.stderr = _reader(out), _reader(err)
        theirs = (given, to_out, to_err)
        run = _Run(words, theirs, cwd or Path.cwd(), dict(os.environ if env is None else env))
        self._process = FORKS.Process(target=run)
        self._process.start()
        for one in theirs:
            os.close(one)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        """Its exit code; None while it runs."""
        self._process.join(timeout)
        return self._process.exitcode

    def communicate(self) -> tuple[str, str]:
        with ThreadPoolExecutor(1) as other:
            told = other.submit(self.stderr.read)
            out = self.stdout.read()
        self.wait()
        return out, told.result()

    def read_until(self, end: str) -> str:
        """What it writes to standard error, a question for instance that ends no line."""
        told = ""
        while not told.endswith(end):
            read = self.stderr.read(1)
            assert read, told
            told += read
        return told

    def send_signal(self, sig: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        where: TracebackType | None,
    ) -> None:  # fmt: skip
        if kind is not None:
            self.kill()
        self.close()

    def close(self) -> None:
        """When it has ended."""
        self.wait()
        self.stdout.close()
        self.stderr.close()


def _reader(pipe: int) -> TextIO:
    return open(pipe, encoding="utf-8")


def _writer(stream: int, errors: str) -> TextIO:
    """As Python makes it: lines are written whole at a terminal and to standard error."""
    made = open(stream, "w", encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
    made.reconfigure(line_buffering=stream == 2 or made.isatty())
    return made


class _Run:
    """What the process does; its streams pass to it when it is pickled."""

    def __init__(
        self, words: Sequence[str], streams: Sequence[int], cwd: Path, env: Mapping[str, str]
    ) -> None:
        self._given = words, cwd, env
        self._streams = streams

    def __getstate__(self) -> object:
        return self._given, [DupFd(stream) for stream in self._streams]

    def __setstate__(self, state: tuple[Any, list[Any]]) -> None:
        self._given, passed = state
        self._streams = [stream.detach() for stream in passed]

    def __call__(self) -> None:
        words, cwd, env = self._given
        for number, stream in enumerate(self._streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - until its end
        sys.stdout = _writer(1, "strict")
        sys.stderr = _writer(2, "backslashreplace")
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        sys.exit(main(words))
