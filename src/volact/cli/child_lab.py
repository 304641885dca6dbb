"""A lab in a process of its own, so that it does not share a core with its caller.

Starts ``volact lab serve`` with the same Python, waits until it accepts connections, and
ends it by its process id.  Its standard input is a pipe from here: if this process is
killed, the pipe closes and the lab ends.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from volact.child_process import own_group, python_command, python_environment
from volact.errors import VolactError
from volact.model.text import Text, count, say

_START_S = 120.0
_END_S = 10.0


def starting(scenario: str, servers: int) -> Text:
    """The sentence before a lab is started, which takes a moment."""
    return count(
        servers,
        "starting {n} simulated server (scenario {scenario})",
        "starting {n} simulated servers (scenario {scenario})",
        scenario=scenario,
    )


@contextmanager
def child_lab(scenario: str, servers: int, seed: int) -> Iterator[Path]:
    """Run a lab inside the block; yields its inventory."""
    with tempfile.TemporaryDirectory(prefix="volact-lab-") as folder:
        home = Path(folder)
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                _command(home, scenario, servers, seed),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=python_environment(),
                **own_group(),  # Ctrl-C is for volact, which then ends the lab
            )
            try:
                _wait(process, home)
                yield home / "lab.toml"
            finally:
                _end(process)


def _command(home: Path, scenario: str, servers: int, seed: int) -> list[str]:
    options = {
        "--scenario": scenario,
        "--servers": str(servers),
        "--seed": str(seed),
        "--inventory-out": str(home / "lab.toml"),
        "--ready-file": str(home / "ready"),
    }
    words = [word for pair in options.items() for word in pair]
    return python_command("volact", "lab", "serve", "--while-stdin", *words)


def _wait(process: subprocess.Popen[bytes], home: Path) -> None:
    ends = time.monotonic() + _START_S
    while not (home / "ready").exists():
        if process.poll() is not None:
            raise VolactError(say("the lab did not start: {what}", what=_last_words(home)))
        if time.monotonic() > ends:
            raise VolactError(
                say("the lab was not ready after {seconds} s", seconds=f"{_START_S:.0f}")
            )
        time.sleep(0.02)


def _last_words(home: Path) -> str:
    lines = (home / "log").read_text("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("volact: ") if lines else say("it said nothing")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()
