"""What a durable run costs beside the plain command line, and what a second worker brings.

    python bench/durable.py [--servers 300] [--slow 60] [--rounds 3]

CPU: ``volact check`` with a store, and the same by one worker of the service, on one lab in
turn: each with the number of servers at a time that it chooses by itself, and both with 50, for
the cost depends on it.  What a run over one server costs is taken off the command line's; the
worker's time counts from the request to the end of the run.  Of several rounds the least
counts: other work of a machine makes all of it dearer.  PostgreSQL's own CPU is not in it.
Workers: a lab at the far end of a slow line, four servers at a time on each worker, by one
worker and by two.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "chaos"), str(HERE.parent / "tests" / "store")]

from engine_lab import Service, WorkerProcess  # noqa: E402  (after the path)
from postgres_server import PostgresServer, binaries  # noqa: E402

from labs import Lab, lab  # noqa: E402
from measure import measure  # noqa: E402
from slow_line import slowed  # noqa: E402
from volact.client.wire import RunSpec  # noqa: E402
from volact.service.database.schema import open_service_store  # noqa: E402
from volact.store.address import parse_address  # noqa: E402

_TICKS = os.sysconf("SC_CLK_TCK")
_DELAY_S = 0.2
_AT_A_TIME = 4
_SPEC = RunSpec(verb="check", inventory="lab")
_ALIKE = 50


def plain_ms(place: Lab, folder: Path, url: str, *more: str) -> float:
    """CPU of the command line, ms a server."""
    command = [sys.executable, "-m", "volact", "check", "-i", str(place.inventory), "-o", "json"]
    command += ["--no-progress", "--store", url or str(folder / "plain.db"), *more]
    one = measure([*command, "--limit", first_name(place)], (0, 3), {})
    every = measure(command, (0, 3), {})
    return 1000 * (every.cpu_s - one.cpu_s) / (place.servers - 1)


def first_name(place: Lab) -> str:
    """A server of the lab."""
    text = place.inventory.read_text("utf-8").partition("[[server]]")[2]
    return text.partition('name = "')[2].partition('"')[0]


@contextmanager
def service(place: Lab, folder: Path, url: str, workers: int) -> Iterator[Service]:
    """A service whose workers wait for a run."""
    address = parse_address(url or str(folder / f"{workers}.db"))
    assert address is not None
    with open_service_store(address) as store:
        made = Service(place.inventory, store, address.url or str(address.file), folder)
        try:
            for _ in range(workers):
                made.start_worker()
            asyncio.run(
                _run(made, RunSpec(verb="check", inventory="lab", limit=(first_name(place),)))
            )
            while len(made.alive()) < workers:
                time.sleep(0.1)
            yield made
        finally:
            made.end()


async def _run(made: Service, spec: RunSpec) -> float:
    """Seconds from a run's beginning to its end."""
    info = await made.ended((await made.submit(spec)).id)
    assert info.state == "done", info.note
    assert info.begun is not None
    assert info.ended is not None
    return (info.ended - info.begun).total_seconds()


def durable_ms(place: Lab, made: Service, concurrency: int) -> float:
    """CPU of one worker, ms a server; the beats of the seconds that the run takes are in it."""
    (worker,) = made.workers
    before = cpu_s(worker)
    asyncio.run(_run(made, RunSpec(verb="check", inventory="lab", concurrency=concurrency)))
    return 1000 * (cpu_s(worker) - before) / place.servers


def cpu_s(process: WorkerProcess) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def wall_s(place: Lab, folder: Path, url: str, workers: int) -> float:
    """How long a latency-bound fleet takes."""
    with service(place, folder, url, workers) as made:
        spec = RunSpec(verb="check", inventory="lab", concurrency=_AT_A_TIME)
        return asyncio.run(_run(made, spec))


def costs(place: Lab, folder: Path, postgres: PostgresServer, rounds: int) -> Iterator[str]:
    """The table of CPU."""
    at = f"at {_ALIKE}"
    yield f"| database | plain, ms a server | durable | ratio | plain {at} | durable {at} | ratio |"
    yield "|---|---|---|---|---|---|---|"
    for title in ("SQLite", "PostgreSQL"):
        urls = ["" if title == "SQLite" else postgres.new_database() for _ in range(2)]
        with service(place, folder, urls[1], 1) as made:
            found = [
                (
                    plain_ms(place, folder, urls[0]),
                    durable_ms(place, made, _SPEC.concurrency),
                    plain_ms(place, folder, urls[0], "--concurrency", str(_ALIKE)),
                    durable_ms(place, made, _ALIKE),
                )
                for _ in range(rounds)
            ]
        own, durable, own_alike, alike = (min(each) for each in zip(*found, strict=True))
        yield (
            f"| {title} | {own:.1f} | {durable:.1f} | {durable / own:.2f} "
            f"| {own_alike:.1f} | {alike:.1f} | {alike / own_alike:.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--servers", type=int, default=300)
    parser.add_argument("--slow", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    os.environ.pop("VOLACT_STORE", None)
    programs = binaries()
    assert programs is not None, "needs the Debian package postgresql"
    postgres = PostgresServer(programs)
    postgres.make()
    postgres.start()
    try:
        with tempfile.TemporaryDirectory(prefix="volact-durable-") as name:
            folder = Path(name)
            with lab(wanted.servers, folder / "lab") as place:
                for line in costs(place, folder, postgres, wanted.rounds):
                    print(line, flush=True)
            if not wanted.slow:
                return
            with lab(wanted.slow, folder / "far") as near, slowed(near, _DELAY_S, "far") as far:
                one, two = (wall_s(far, folder, postgres.new_database(), n) for n in (1, 2))
        how = f"{1000 * _DELAY_S:.0f} ms each way, {_AT_A_TIME} at a time"
        times = f"one worker {one:.1f} s, two {two:.1f} s: {one / two:.2f} times as fast"
        print(f"\n{wanted.slow} servers, {how}: {times}")
    finally:
        postgres.stop()


if __name__ == "__main__":
    main()
