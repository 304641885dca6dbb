"""A night over slow servers, simulated: what workers and one PostgreSQL carry.

    python bench/night.py [--servers 100000] [--concurrency 1000] [--answer-s 10]
    python bench/night.py --servers 600 --concurrency 10 --answer-s 3 --workers 1 2

Real: worker processes with the engine and the rules, and PostgreSQL (without fsync), which
stores rows and raw facts.  Simulated: the servers.  None is connected to; each takes half to
one and a half of ``--answer-s`` until it answers with the facts of a server of the tests,
every twentieth with the wrong KMS host.  Numbers of workers are measured one after another.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests"
sys.path[:0] = [str(HERE / "chaos"), *(str(TESTS / name) for name in ("store", "core", "pipeline"))]

import sqlalchemy as sa  # noqa: E402  (after the path)
from engine_lab import Service, start  # noqa: E402
from postgres_server import PostgresServer, binaries  # noqa: E402
from scripted import HEALTHY, WRONG, answer, facts, request_of  # noqa: E402

from volact.client.wire import RunInfo, RunSpec  # noqa: E402
from volact.inventory import Inventory  # noqa: E402
from volact.model.server import Server  # noqa: E402
from volact.service.database.schema import open_service_store  # noqa: E402
from volact.service.engine.worker import Worker, run_worker  # noqa: E402
from volact.store.address import parse_address  # noqa: E402
from volact.transports.base import Opener, Raw, Transport  # noqa: E402

_TICKS = os.sysconf("SC_CLK_TCK")
_LOOK_S = 20.0
_WRONG = 20  # every so manyth server


class SlowServer:
    """A server that takes its time to answer."""

    def __init__(self, number: int, answer_s: float) -> None:
        self._kind = HEALTHY if number % _WRONG else WRONG
        self._wait_s = answer_s * random.uniform(0.5, 1.5)

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        """Its answer; its clock is right."""
        await asyncio.sleep(self._wait_s)
        at = time.time()
        return Raw(answer(request_of(script), facts(**self._kind)), b"", 0, at, time.time())

    async def close(self) -> None:
        """Nothing is open."""


async def work(url: str, answer_s: float) -> None:
    """One worker process."""

    def opener_of(inventory: Inventory) -> Opener:
        @asynccontextmanager
        async def opener(server: Server) -> AsyncIterator[Transport]:
            yield SlowServer(int(server.name[1:]), answer_s)

        return opener

    address = parse_address(url)
    assert address is not None
    await run_worker(Worker(address, opening=opener_of), asyncio.Event())


def inventory_of(servers: int) -> str:
    """An inventory of so many servers."""
    one = '[[server]]\nname = "s{}"\naddress = "ssh://10.{}.{}.{}"\nprovider = "tencent"\n'
    return "".join(
        one.format(n, n // 65536, n // 256 % 256, n % 256) for n in range(1, servers + 1)
    )


async def night(made: Service, spec: RunSpec, pids: list[int]) -> RunInfo:
    """The run, with a line now and then of how far it is."""
    since = time.monotonic()
    info = await made.submit(spec)
    print(f"requested in {time.monotonic() - since:.1f} s", flush=True)
    first = await made.until(info.id, lambda at: at.done > 0 or at.ended is not None)
    print(f"the first rows after {time.monotonic() - since:.1f} s", flush=True)
    before, at = first.done, time.monotonic()
    while (info := made.info(info.id)).ended is None:
        await asyncio.sleep(_LOOK_S)
        done, now = made.info(info.id).done, time.monotonic()
        used = " ".join(f"{cpu_s(pid):.0f}" for pid in pids)
        how = f"{(done - before) / (now - at):.0f} a second, CPU {used} s"
        print(f"{now - since:.0f} s: {done} done, {how}, load {os.getloadavg()[0]:.1f}", flush=True)
        before, at = done, now
    return info


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and of the children that it waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def postgres_cpu_s(made: Service) -> float:
    """CPU seconds of all processes of the database."""
    backend = ask(made, "SELECT pg_backend_pid()")
    parent = int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return cpu_s(parent) + sum(cpu_s(int(child)) for child in children)


def ask(made: Service, query: str) -> int:
    """A number."""
    return made.store.ask(lambda connection: int(connection.execute(sa.text(query)).scalar_one()))


def peak_mb(pid: int) -> float:
    """The most memory that a process has had."""
    line = Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2]
    return int(line.split()[0]) / 1024


def run(wanted: argparse.Namespace, workers: int, postgres: PostgresServer, folder: Path) -> float:
    """The whole night; how long it took, from the run's beginning."""
    folder.mkdir()
    inventory = folder / "night.toml"
    inventory.write_text(inventory_of(wanted.servers), "utf-8")
    url = postgres.new_database()
    address = parse_address(url)
    assert address is not None
    with open_service_store(address) as store:
        made = Service(inventory, store, url, folder)
        command = [sys.executable, __file__, "--answer-s", str(wanted.answer_s), "--worker"]
        made.program = partial(start, command)
        try:
            pids = [made.start_worker().pid for _ in range(workers)]
            while len(made.alive()) < workers:
                time.sleep(0.1)
            begun, before = sum(map(cpu_s, pids)), postgres_cpu_s(made)
            spec = RunSpec(verb="check", inventory="lab", concurrency=wanted.concurrency)
            info = asyncio.run(night(made, spec, pids))
            assert info.begun is not None
            assert info.ended is not None
            took = (info.ended - info.begun).total_seconds()
            used, theirs = sum(map(cpu_s, pids)) - begun, postgres_cpu_s(made) - before
            size = ask(made, "SELECT pg_database_size(current_database())")
            print(f"the run is {info.state}: {info.counts} {info.note}")
            print(f"{took:.0f} s, {info.done / took:.0f} servers a second")
            print(f"CPU a server: workers {1000 * used / info.done:.1f} ms")
            print(f"CPU a server: PostgreSQL {1000 * theirs / info.done:.1f} ms")
            print(f"memory of a worker at most {max(map(peak_mb, pids)):.0f} MB")
            print(f"database {size / 2**20:.0f} MB, {size / info.done / 1024:.1f} KB a server")
            print(made.said()[-2000:])
            return took
        finally:
            made.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--servers", type=int, default=100_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--concurrency", type=int, default=1000)
    parser.add_argument("--answer-s", type=float, default=10.0)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--database", default="", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    os.environ.pop("VOLACT_STORE", None)
    if wanted.worker:
        asyncio.run(work(wanted.database, wanted.answer_s))
    programs = binaries()
    assert programs is not None, "needs the Debian package postgresql"
    postgres = PostgresServer(programs)
    postgres.make()
    postgres.start()
    try:
        with tempfile.TemporaryDirectory(prefix="volact-night-") as name:
            took = [run(wanted, n, postgres, Path(name) / str(n)) for n in wanted.workers]
            print("times as fast as the first:", *(f"{took[0] / one:.2f}" for one in took))
    finally:
        postgres.stop()


if __name__ == "__main__":
    main()
