"""One process's share of a lab: every K-th server of the same fleet.

    python bench/lab_part.py --servers N --part I --parts K --folder DIR \
        [--start-s SECONDS] [--activation-s SECONDS]

Writes ``part-I.toml`` (an inventory), ``part-I.keys.json`` (which client key and
KMS host the four typed commands need for each server) and ``agent.bat`` into the
folder, then ``part-I.ready``; stays until its standard input ends, so that no lab
outlives the bench that started it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import uvloop

from volact.agent.render import render
from volact.agent.request import new_request
from volact.knowledge.load import load_editions, load_profile
from volact_lab.cmd import launch
from volact_lab.fleet import fleet
from volact_lab.lab import PROVIDER, Lab
from volact_lab.programs import cscript
from volact_lab.scenario import read_scenario
from volact_lab.ssh.pool import Pool
from volact_lab.windows.licensing import Licensing
from volact_lab.windows.releases import RELEASES
from volact_lab.windows.spec import Spec

SCENARIO = Path(__file__).with_name("scenario.toml")
SEED = 7
WORKERS = 6
P = ParamSpec("P")
T = TypeVar("T")


def specs_of(servers: int, part: int, parts: int) -> tuple[Spec, ...]:
    """The servers of this share; all shares together are one fleet."""
    scenario = read_scenario("bench", SCENARIO.read_text("utf-8"))
    return fleet(scenario, servers, SEED)[part::parts]


def four_commands(spec: Spec) -> dict[str, str]:
    """What an operator would have to look up for a server."""
    build = RELEASES[spec.release].build
    fitting = (e for e in load_editions() if build in e.builds and e.title == spec.edition)
    host = load_profile(PROVIDER).kms_hosts(spec.release)[-1]
    return {"client_key": next(fitting).gvlk, "kms_host": f"{host.host}:{host.port}"}


def agent() -> bytes:
    """What volact uploads at a check, for tools that are to do the same work."""
    return render(new_request("probe", load_profile(PROVIDER), id="0" * 16))


class WaitingPool(Pool):
    """Commands whose starts of cscript and activations take time, which costs no CPU.

    They are counted while a command runs in its thread; its output comes so much later.
    """

    def __init__(self, workers: int, start_s: float, activation_s: float) -> None:
        super().__init__(workers)
        self._waits = threading.local()
        launch.PROGRAMS["cscript.exe"] = self._counted(cscript.run, start_s)
        setattr(Licensing, "activate", self._counted(Licensing.activate, activation_s))  # noqa: B010

    def _counted(self, function: Callable[P, T], seconds: float) -> Callable[P, T]:
        def counted(*args: P.args, **kwargs: P.kwargs) -> T:
            self._waits.s += seconds
            return function(*args, **kwargs)

        return counted

    async def run(self, function: Callable[[], T], limit_s: float) -> T:
        """The function's result, after what it would have waited for."""

        def timed() -> tuple[T, float]:
            self._waits.s = 0.0
            return function(), self._waits.s

        result, seconds = await super().run(timed, limit_s)
        await asyncio.sleep(seconds)
        return result


async def serve(wanted: argparse.Namespace) -> None:
    """Run the share until its parent process is gone."""
    servers, part, parts, folder = wanted.servers, wanted.part, wanted.parts, wanted.folder
    lab = Lab("healthy", specs_of(servers, part, parts), SEED, transport="ssh")
    if wanted.start_s or wanted.activation_s:
        lab.front.pool = WaitingPool(WORKERS, wanted.start_s, wanted.activation_s)
    # One password for all shares: the parts' inventories become one.
    lab.front.password = "bench"
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), ended.set)
    async with lab:
        # A fleet of simulated machines is a large heap: look through it seldom.
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        lab.write_inventory(folder / f"part-{part}.toml")
        keys = {spec.name: four_commands(spec) for spec in lab.specs}
        (folder / f"part-{part}.keys.json").write_text(json.dumps(keys), "utf-8")
        (folder / "agent.bat").write_bytes(agent())
        (folder / f"part-{part}.ready").touch()
        await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("servers", "part", "parts"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    for name in ("start-s", "activation-s"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    wanted = parser.parse_args()
    logging.basicConfig(level=logging.ERROR, format="lab: %(message)s")
    uvloop.run(serve(wanted))


if __name__ == "__main__":
    main()
