"""The two helpers that run as processes of their own: the floor, and the round trips."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from labs import lab
from results import Piece, Trips

HERE = Path(__file__).parent
_SERVERS = 200
APPLY = "volact: an apply after it"


def measured(folder: Path, rounds: int) -> list[Piece]:
    """What a visit is made of (``floor.py``), on a lab for that alone."""
    with lab(_SERVERS if rounds > 1 else 8, folder / "floor") as place:
        words = [str(HERE / "floor.py"), str(place.inventory), "--rounds", str(rounds)]
        found: dict[str, float] = json.loads(_output(words))
    return [Piece(name, ms) for name, ms in found.items()]


def round_trips(rounds: int) -> list[Trips]:
    """Of what no command shows by itself: an apply on an open connection (``round_trips.py``)."""
    delay = "100" if rounds > 1 else "10"
    found: dict[str, float] = json.loads(
        _output([str(HERE / "round_trips.py"), "--json", "--delay-ms", delay])
    )
    return [Trips(name, count) for name, count in found.items() if name == APPLY]


def _output(words: list[str]) -> bytes:
    return subprocess.run([sys.executable, *words], check=True, stdout=subprocess.PIPE).stdout
