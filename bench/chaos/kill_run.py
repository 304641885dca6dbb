"""volact killed (SIGKILL) at chosen moments of a rollout, and run again.

    python bench/chaos/kill_run.py [--kills 100] [--servers 20] [--seed 1]

Lab, volact and this judge are processes of their own.  After each kill the
store is read, and the servers are compared with how they were: every change
must have been written down before.  Then the rollout is repeated, with
``--resume`` every other time, and has to end with every server healthy.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

sys.path[:0] = [str(Path(__file__).parent)]

from lab_process import Peephole  # noqa: E402  (after the path)

from volact.store import open_store  # noqa: E402

Aim = Literal["at any time", "after an intent", "after steps were sent"]
# Every fifth kill is aimed at each of the two moments that matter most.
_AIMS: tuple[Aim, ...] = (
    "at any time",
    "after an intent",
    "at any time",
    "after steps were sent",
    "at any time",
)
# Two of ten kills: what runs on a server ends with the connection, lock and all.
_FRAIL = (8, 9)
_FIRST = ("--deadline", "8", "--concurrency", "4")
_AGAIN = ("--deadline", "600", "--connect-timeout", "300", "--concurrency", "12")
_NOISE = ("Traceback", "exception was never retrieved", "socket.send()")
_LONGEST_S = 600.0


@dataclass
class Kill:
    """One kill, what was found after it, and what was wrong."""

    number: int
    aim: Aim
    at_s: float
    frail: bool
    over: bool = False  # the rollout had ended before
    kept: bool = False  # whether the store knew of the run
    changed: int = 0  # servers that were no longer as they were
    intents: int = 0
    rows: int = 0
    resumed: int = 0  # servers that the second rollout took over
    locks: int = 0
    stale: int = 0  # locks that stay as files, to be taken over by the next run
    again_s: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Campaign:
    """A lab, a store and the kills of one seed."""

    def __init__(self, lab: Peephole, folder: Path, servers: int, seed: int) -> None:
        self._lab = lab
        self._folder = folder
        self._store = folder / "store.db"
        self._servers = servers
        self._chance = random.Random(seed)
        self._whole_s = 1.0

    def measure(self) -> None:
        """How long a rollout takes at present that is not killed."""
        self._lab.ask("renew")
        begun = time.monotonic()
        self._start(_FIRST).wait(_LONGEST_S)
        self._whole_s = time.monotonic() - begun

    def kill(self, number: int) -> Kill:
        """One kill in the middle of a rollout, and everything that is checked after it."""
        kill = self._try(number)
        while kill.over and kill.aim == "at any time" and not kill.wrong:
            # The machine has become faster: a rollout takes less time than was measured.
            self._whole_s = kill.at_s
            kill = self._try(number)
        return kill

    def _try(self, number: int) -> Kill:
        kill = Kill(number, _AIMS[number % len(_AIMS)], 0.0, frail=number % 10 in _FRAIL)
        self._lab.ask("renew")
        self._lab.ask("frail", on=kill.frail)
        before, known = self._lab.ask("pictures"), set(self._runs())
        process = self._start(_FIRST)
        begun = time.monotonic()
        self._await(kill, process, begun)
        kill.over = process.poll() is not None
        process.send_signal(signal.SIGKILL)
        process.wait()
        kill.at_s = time.monotonic() - begun
        self._lab.settled()
        self._judge(kill, before, known)
        self._again(kill, known)
        return kill

    def _await(self, kill: Kill, process: subprocess.Popen[bytes], begun: float) -> None:
        """Wait for the moment."""
        if kill.aim == "at any time":
            moment = begun + self._chance.uniform(0.0, self._whole_s)
            while time.monotonic() < moment and process.poll() is None:
                time.sleep(0.005)
            return
        wanted = self._chance.randint(1, max(1, self._servers // 2))
        count = self._intents if kill.aim == "after an intent" else self._seconds
        base = count()
        while count() - base < wanted and process.poll() is None:
            if time.monotonic() - begun > _LONGEST_S:
                return
            time.sleep(0.002)

    def _seconds(self) -> int:
        return int(self._lab.ask("second"))

    def _intents(self) -> int:
        """Steps that were written down so far, read without volact."""
        try:
            with closing(sqlite3.connect(f"file:{self._store}?mode=ro", uri=True)) as database:
                (found,) = database.execute("SELECT count(*) FROM steps").fetchone()
                return int(found)
        except sqlite3.Error:
            return 0

    def _runs(self) -> list[str]:
        store = open_store(str(self._store), create=False)
        if store is None:
            return []
        with store:
            return [run.id for run in store.runs()]

    def _judge(self, kill: Kill, before: dict[str, Any], known: set[str]) -> None:
        """The store and the servers after a kill."""
        now, licensed = self._lab.ask("pictures"), self._lab.ask("licensed")
        changed = {name for name in before if before[name] != now[name]}
        kill.changed, kill.locks = len(changed), len(self._lab.ask("locked"))
        intended: set[str] = set()
        claimed: list[str] = []
        with closing(sqlite3.connect(self._store)) as database:
            (said,) = database.execute("PRAGMA integrity_check").fetchone()
            kill.wrong += [] if said == "ok" else [f"the store is damaged: {said}"]
        store = open_store(str(self._store))
        with store:
            for run in [run for run in store.runs() if run.id not in known]:
                kill.kept = True
                intended |= {intent.server for intent in store.intents(run.id)}
                rows = [row.report for row in store.rows(run.id)]
                kill.rows = len(rows)
                claimed += [row.name for row in rows if row.verdict == "healthy"]
        kill.intents = len(intended)
        claimed += [row["name"] for row in self._lines() if row.get("verdict") == "healthy"]
        kill.wrong += [f"{name} was changed and nothing says so" for name in changed - intended]
        kill.wrong += [f"{n} is called healthy and is not" for n in set(claimed) if not licensed[n]]
        kill.wrong += self._noise()

    def _again(self, kill: Kill, known: set[str]) -> None:
        """The rollout once more: it has to make everything right."""
        new = [run for run in self._runs() if run not in known]
        resume = ("--resume", new[0]) if new and kill.number % 2 else ()
        begun = time.monotonic()
        process = self._start((*_AGAIN, *resume))
        code = process.wait(_LONGEST_S)
        kill.again_s = time.monotonic() - begun
        rows = {row["name"]: row for row in self._lines() if "name" in row}
        kill.resumed = sum(row["executions"] == 0 for row in rows.values())
        licensed, locked = self._lab.ask("licensed"), self._lab.ask("locked")
        if code != 0:
            kill.wrong.append(f"the second rollout ended with {code}: {self._said()}")
        if len(rows) != self._servers:
            kill.wrong.append(f"{self._servers - len(rows)} servers have no row")
        for name, row in rows.items():
            if row["verdict"] != "healthy":
                why = (row.get("error") or {}).get("message") or row.get("reason")
                kill.wrong.append(f"{name} is {row['verdict']} in the second rollout: {why}")
            elif not licensed[name]:
                kill.wrong.append(f"{name} is called healthy and is not")
        # One that needed no takeover: the steps were done before the kill.
        kill.stale = len(locked)
        kill.wrong += self._noise()

    def _start(self, options: Iterable[str]) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "volact", "activate", "-i", str(self._lab.inventory)]
        words += ["--yes", "--output", "jsonl", "--no-progress", "--store", str(self._store)]
        with self._file("out").open("wb") as out, self._file("err").open("wb") as err:
            return subprocess.Popen(
                [*words, *options], stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    def _file(self, name: str) -> Path:
        return self._folder / f"volact.{name}"

    def _lines(self) -> list[dict[str, Any]]:
        """The rows on standard output; the last line of a killed process may be half a row."""
        rows = []
        for line in self._file("out").read_text("utf-8", "replace").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue
        return rows

    def _said(self) -> str:
        return self._file("err").read_text("utf-8", "replace").strip()[-300:]

    def _noise(self) -> list[str]:
        said = self._file("err").read_text("utf-8", "replace")
        return [f"on standard error: {said[-400:]}" for word in _NOISE if word in said]


def run(kills: int, servers: int, seed: int, tell: Callable[[Kill], None]) -> list[Kill]:
    """The whole campaign."""
    with tempfile.TemporaryDirectory(prefix="volact-kills-") as folder:
        here = Path(folder)
        with Peephole(here, "simple", servers, seed) as lab:
            campaign = Campaign(lab, here, servers, seed)
            found = []
            for number in range(kills):
                if number % 20 == 0:
                    campaign.measure()
                found.append(campaign.kill(number))
                tell(found[-1])
            if errors := lab.ask("errors"):
                found[-1].wrong += [f"lab: {error}" for error in errors]
    return found


def table(found: list[Kill]) -> str:
    """The kills by what they were aimed at, as Markdown."""
    lines = [
        "| aimed at | kills | rollout was over | changed servers, all with a record | intents "
        "| rows kept | taken over by --resume | locks met | of them left as files "
        "| second rollout, s (median, longest) | wrong |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for aim in dict.fromkeys(_AIMS):
        some = [kill for kill in found if kill.aim == aim]
        if some:
            lines.append(f"| {aim} | {_numbers(some)} |")
    return "\n".join([*lines, f"| **all** | {_numbers(found)} |"])


def _numbers(some: list[Kill]) -> str:
    again = [kill.again_s for kill in some]
    numbers = [
        *(len(some), sum(k.over for k in some), sum(k.changed for k in some)),
        *(sum(k.intents for k in some), sum(k.rows for k in some)),
        *(sum(k.resumed for k in some), sum(k.locks for k in some)),
        sum(k.stale for k in some),
        f"{statistics.median(again):.1f}, {max(again):.1f}",
        sum(len(k.wrong) for k in some),
    ]
    return " | ".join(map(str, numbers))


def tell(kill: Kill) -> None:
    frail = ", frail" if kill.frail else ""
    print(
        f"{kill.number:3} {kill.aim}{frail} at {kill.at_s:.2f} s: {kill.changed} changed, "
        f"{kill.intents} intents, {kill.rows} rows, {kill.locks} locks; "
        f"again {kill.again_s:.1f} s, {kill.resumed} taken over",
        flush=True,
    )
    for line in kill.wrong:
        print(f"WRONG {line}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--servers", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    os.environ.pop("VOLACT_STORE", None)
    found = run(wanted.kills, wanted.servers, wanted.seed, tell)
    print(table(found))
    return int(any(kill.wrong for kill in found))


if __name__ == "__main__":
    sys.exit(main())
