"""Every visitor over a line with a delay: its round trips, and how long a fleet takes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from labs import Lab, lab
from measure import measure
from results import Row, Trips
from visitors import ACTIVATE, FOUR, PYINFRA_FOUR, Visitor, visitors

HERE = Path(__file__).parent
# Long compared with an ordinary visit; short where it only has to run at all.
_COUNT_S, _QUICK_S = 0.25, 0.02
_FLEET, DELAY_S = 100, 0.1
# They change servers, so they cannot be compared with themselves.
_CHANGING = (ACTIVATE, FOUR, PYINFRA_FOUR)


@contextmanager
def slowed(place: Lab, delay_s: float, name: str) -> Iterator[Lab]:
    """The same lab at the far end of a slow line."""
    text = place.inventory.read_text("utf-8")
    ports = [int(port) for port in re.findall(r'"ssh://127\.0\.0\.1:(\d+)"', text)]
    command = [sys.executable, str(HERE / "relay.py"), "--delay-ms", str(delay_s * 1000)]
    relay = subprocess.Popen(
        [*command, *map(str, ports)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert relay.stdin is not None
    assert relay.stdout is not None
    try:
        near = [int(word) for word in relay.stdout.readline().split()]
        far = _rewritten(place, dict(zip(ports, near, strict=True)), name)
        yield replace(far, pids=(*far.pids, relay.pid))
    finally:
        relay.stdin.close()
        relay.stdout.close()
        try:
            relay.wait(10)
        except subprocess.TimeoutExpired:
            relay.kill()
            relay.wait()


def _rewritten(place: Lab, near: dict[int, int], name: str) -> Lab:
    """The lab's files with the ports of the relay, in a folder of their own."""
    folder = place.inventory.parent / name
    folder.mkdir()
    for file in place.inventory.parent.iterdir():
        if file.stem == place.inventory.stem and file.is_file():
            text = re.sub(
                r"(127\.0\.0\.1\]?:)(\d+)",
                lambda found: found[1] + str(near.get(int(found[2]), int(found[2]))),
                file.read_text("utf-8"),
            )
            (folder / file.name).write_text(text, "utf-8")
            (folder / file.name).chmod(0o600)
    document = json.loads(place.for_ansible.read_text("utf-8"))
    for host in document["all"]["hosts"].values():
        host["ansible_port"] = near[host["ansible_port"]]
    for_ansible = folder / place.for_ansible.name
    for_ansible.write_text(json.dumps(document), "utf-8")
    return replace(place, inventory=folder / place.inventory.name, for_ansible=for_ansible)


def round_trips(peers: Path | None, folder: Path, rounds: int) -> list[Trips]:
    """How many round trips each visitor makes to one server that is in order.

    The quickest of some runs through a slow line without what the quickest
    through one without delay takes.
    """
    delay_s = _COUNT_S if rounds > 1 else _QUICK_S
    with (
        lab(1, folder / "one", parts=1) as place,
        slowed(place, 0.0, "near") as near,
        slowed(place, delay_s, "far") as far,
    ):
        found = []
        for here, there in zip(visitors(near, peers), visitors(far, peers), strict=True):
            if here.name in _CHANGING:
                continue
            quick, slow = (_quickest(visitor, rounds) for visitor in (here, there))
            found.append(Trips(here.name, round((slow - quick) / delay_s, 1)))
    return found


def _quickest(visitor: Visitor, rounds: int) -> float:
    costs = (measure(visitor.command, visitor.accept, visitor.environment) for _ in range(rounds))
    return min(cost.wall_s for cost in costs)


def fleet(peers: Path | None, folder: Path, tell: Callable[[str], None]) -> list[Row]:
    """A fleet behind slow lines, by every visitor once."""
    rows = []
    with lab(_FLEET, folder / "slow") as place, slowed(place, DELAY_S, "far") as far:
        for visitor in visitors(far, peers):
            before = place.cpu_s()
            cost = measure(visitor.command, visitor.accept, visitor.environment)
            rows.append(Row.of(visitor.name, _FLEET, [cost], place.cpu_s() - before))
            tell(f"  {rows[-1].line()}")
    return rows
