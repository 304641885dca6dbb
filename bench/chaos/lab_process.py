"""A lab in a process of its own that can be asked how its servers really are.

Started by ``Peephole``; one JSON object a line in, one a line out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from volact_lab.inspection import left, licensed, locked, picture
from volact_lab.lab import Lab

_READY_S, _END_S = 600.0, 600.0


class Peephole:
    """The other end: starts the lab and asks it."""

    def __init__(self, folder: Path, scenario: str, servers: int, seed: int) -> None:
        self.inventory = folder / "lab.toml"
        words = [str(self.inventory), scenario, str(servers), str(seed)]
        self._log = (folder / "lab.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.ask("ready")

    def ask(self, what: str, **more: Any) -> Any:
        """One question and its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"ask": what, **more}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the lab ended; see {self._log.name}")
        return json.loads(line)

    def settled(self) -> None:
        """Wait until no command runs on any server any more."""
        ends = time.monotonic() + _READY_S
        while self.ask("running"):
            if time.monotonic() > ends:
                raise RuntimeError("commands on the lab's servers do not end")
            time.sleep(0.02)

    def __enter__(self) -> Peephole:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()  # at whose end it tidies up and ends
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self._process.kill()  # nothing, unless it did not end
        self._process.wait()
        self._process.stdout.close()
        self._log.close()


class _Told:
    """Answers about a lab."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def answer(self, what: str, more: dict[str, Any]) -> Any:
        slots = self._lab.slots.items()
        answers: dict[str, Callable[[], Any]] = {
            "ready": lambda: True,
            "renew": self._renew,
            "frail": lambda: self._frail(bool(more["on"])),
            "running": lambda: sum(s.built.lock.locked() for _, s in slots if s.built),
            "pictures": lambda: {name: picture(slot.machine) for name, slot in slots},
            "licensed": lambda: {name: licensed(slot.machine) for name, slot in slots},
            "locked": lambda: [name for name, slot in slots if locked(slot.machine)],
            "left": lambda: {n: found for n, s in slots if (found := left(s.machine))},
            "second": lambda: sum(slot.executions > 1 for _, slot in slots),
            "errors": lambda: [f"{name}: {error.line()}" for name, error in self._lab.errors],
        }
        return answers[what]()

    def _frail(self, on: bool) -> bool:
        for slot in self._lab.slots.values():
            slot.frail = on
        return on

    def _renew(self) -> bool:
        """The fleet as it was in the beginning."""
        for slot in self._lab.slots.values():
            slot.renew()
            slot.executions = 0
        return True


async def _serve(words: argparse.Namespace) -> None:
    async with Lab(words.scenario, words.servers, words.seed, transport="ssh") as lab:
        lab.write_inventory(words.inventory)
        told = _Told(lab)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=2**20)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            question = json.loads(line)
            sys.stdout.write(json.dumps(told.answer(question.pop("ask"), question)) + "\n")
            sys.stdout.flush()


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inventory", type=Path)
    parser.add_argument("scenario")
    parser.add_argument("servers", type=int)
    parser.add_argument("seed", type=int)
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
