"""A fleet as users have it: slow lines, servers that take their time, every tool as it comes.

    python bench/waiting.py                     1,000 servers; installs the peers first
    python bench/waiting.py --servers 200
    python bench/waiting.py --quick --no-peers  a few servers and short waits

A line has a round trip of 100 ms, every start of cscript waits 1 s and an activation 3 s,
without CPU, for volact's agent and for typed commands alike.  The lab and the line have the
last core to themselves as far as the machine is this bench's.  Prints a table; writes
``results/waiting.json`` unless it is quick.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

import peers_env
from labs import Lab, lab
from measure import CommandFailedError, measure
from results import Machine, Row, machine
from slow_line import DELAY_S, slowed
from tables import table
from visitors import (
    ACTIVATE,
    CHECK,
    EXAMINED,
    FOUR,
    PYINFRA_AGENT,
    PYINFRA_FOUR,
    Visitor,
    ansible_four,
    pyinfra,
    store_of,
    volact,
)

HERE = Path(__file__).parent
START_S, ACTIVATION_S = 1.0, 3.0
FORKS = ("5", "100")  # Ansible's default, and many
_IDEAL_AIM = 1.3
# Of volact's verbs, the peers that do the same work.
_SAME_WORK = {CHECK: (PYINFRA_AGENT,), ACTIVATE: (PYINFRA_FOUR,)}


class Waited(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one go."""

    machine: Machine
    servers: int
    rows: list[Row]
    alone_s: dict[str, float]  # one server by itself, by volact's verb

    def ideal_s(self, row: Row) -> float:
        """The slowest server, and the CPU of the tool or of the lab beside it."""
        return self.alone_s[row.name] + max(row.cpu_s, row.lab_cpu_s)


def measured(servers: int, waits: Sequence[str], peers: Path | None, folder: Path) -> Waited:
    """All tools at one fleet; those that change servers last."""
    at = machine()
    with lab(servers, folder, parts=1, options=waits) as near, slowed(near, DELAY_S, "far") as far:
        if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
            for pid in far.pids:
                os.sched_setaffinity(pid, {max(os.sched_getaffinity(0))})
        alone = {CHECK: _alone("check", far), ACTIVATE: _alone("activate", far, "--yes")}
        visits = (_visited(far, visitor) for visitor in _visitors(far, peers))
        rows = [row for row in visits if row]
    return Waited(machine=at, servers=servers, rows=rows, alone_s=alone)


def _visitors(place: Lab, peers: Path | None) -> Iterator[Visitor]:
    """Each with its own defaults."""
    yield Visitor(CHECK, volact("check", place, "--no-store", at_once=None), EXAMINED)
    if peers:
        yield Visitor(
            PYINFRA_AGENT, pyinfra(place, peers, "--parallel", "0", "--agent", place.agent)
        )
    store = ("--store", str(store_of(place)))
    yield Visitor(ACTIVATE, volact("activate", place, "--yes", *store, at_once=None), EXAMINED)
    if peers:
        four = ("--parallel", "0", "--four", place.for_ansible)
        yield Visitor(PYINFRA_FOUR, pyinfra(place, peers, *four))
        for forks in reversed(FORKS):
            yield ansible_four(f"{FOUR}, {forks} forks", place, peers, forks)


def _visited(place: Lab, visitor: Visitor) -> Row | None:
    before = place.cpu_s()
    try:
        cost = measure(visitor.command, visitor.accept, visitor.environment)
    except CommandFailedError as error:
        print(f"  {visitor.name} FAILED: {error}", file=sys.stderr, flush=True)
        return None
    row = Row.of(visitor.name, place.servers, [cost], place.cpu_s() - before)
    print(f"  {row.line()}", file=sys.stderr, flush=True)
    return row


def _alone(verb: str, place: Lab, *more: str) -> float:
    """How long one server takes that needs an activation, with nothing beside it."""
    document = msgspec.toml.decode(place.inventory.read_bytes())
    names = [server["name"] for server in document["server"]]
    asked = [*volact("plan", place, "--no-store", at_once=None), *names[:20]]
    plans = subprocess.run(asked, check=False, capture_output=True, text=True).stdout
    rows = [row for row in map(json.loads, plans.splitlines()) if row.get("plan")]
    command = [*volact(verb, place, "--no-store", *more, at_once=None), rows[-1]["name"]]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return float(json.loads(done.stdout.splitlines()[0])["elapsed_s"])


def markdown(found: Waited) -> str:
    """The table, with what it was measured on."""
    named = {row.name: row for row in found.rows}
    at = found.machine
    same = {peer: verb for verb, peers in _SAME_WORK.items() for peer in peers}
    lines = []
    for row in found.rows:
        verb = row.name if row.name in found.alone_s else same.get(row.name, ACTIVATE)
        lines.append(
            (
                row.name,
                f"{row.wall_s:.1f}",
                f"{row.wall_s / found.ideal_s(named[verb]):.2f}",
                f"{row.wall_s / named[verb].wall_s:.2f}",
                f"{row.cpu_ms:.1f}",
                f"{row.lab_cpu_s / row.servers * 1000:.1f}",
            )
        )
    head = ("", "wall s", "to the ideal", "to volact", "CPU ms a server", "lab's CPU ms a server")
    ideals = ", ".join(
        f"{name} {found.ideal_s(named[name]):.1f} s (one server alone {alone:.1f} s)"
        for name, alone in found.alone_s.items()
        if name in named
    )
    where = (
        f"{found.servers:,} servers, {at.date}, {at.cores} cores ({at.processor}), {at.python}, "
        f"load before {at.load:g}."
    )
    return f"{where} The ideal: {ideals}.\n\n{table(head, lines)}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--servers", type=int, default=1000, metavar="N")
    parser.add_argument("--quick", action="store_true", help="short waits")
    parser.add_argument("--no-peers", action="store_true", help="volact alone")
    wanted = parser.parse_args()
    share = 0.02 if wanted.quick else 1.0
    waits = ("--start-s", str(START_S * share), "--activation-s", str(ACTIVATION_S * share))
    peers = None if wanted.no_peers else peers_env.ready(only_if_there=wanted.quick)
    with tempfile.TemporaryDirectory(prefix="volact-bench-") as name:
        found = measured(wanted.servers, waits, peers, Path(name) / "lab")
    print(markdown(found))
    if not wanted.quick:
        path = HERE / "results" / "waiting.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    return 0 if {row.name for row in found.rows} >= {CHECK, ACTIVATE} else 1


if __name__ == "__main__":
    sys.exit(main())
