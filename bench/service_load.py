"""How quick the service is: readers of a fleet while a run is written, and open event streams.

    python bench/service_load.py [--servers 10000] [--readers 50] [--streams 500]
        [--postgresql] [--commits 10] [--source ../other/src …]

A run is written meanwhile as a worker writes it: rows, and ``--commits`` a second of what is
not a row, such as its lease.  Each ``--source`` is a folder with the package to measure; with
several each measurement is taken of one after the other.  ``volact serve`` is a process of its
own, the readers of ``service_readers`` another: each sends its next request when the answer is
there.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

sys.path.append(str(Path(__file__).parents[1] / "tests" / "store"))

from postgres_server import PostgresServer, binaries

from service_readers import Got, Load, read, streams, until_ready
from volact.client.wire import NewToken, NewUser, RunSpec
from volact.model.finding import Finding
from volact.model.report import LicenseRow, OsRow, RunReport, ServerReport, Summary
from volact.service.access import Actor
from volact.service.database.schema import open_service_store
from volact.service.database.tables import RUNS
from volact.service.identity import tokens, users
from volact.service.identity.audit import SYSTEM, changing
from volact.store.address import StoreAddress, parse_address
from volact.store.clock import moment
from volact.store.store import Store
from volact.store.store_writer import StoreWriter
from volact.store.values import RunStart

RUN = "live"
FILTER = "/api/v1/servers?verdict=failed&tag=group-4&limit="
# Each reader another part of the fleet.
PARTS = [
    f"/api/v1/servers?verdict={verdict}&tag=group-{group}&limit=100"
    for group in range(10)
    for verdict in ("healthy", "attention", "failed")
]
FINDINGS = {
    verdict: (Finding(id=id, severity=severity, summary=f"{id} here"),)  # type: ignore[arg-type]
    for verdict, id, severity in (
        ("attention", "clock-skew-unknown", "warning"),
        ("failed", "kms-host-wrong", "error"),
    )
}
SPAWN = multiprocessing.get_context("spawn")


def row(number: int) -> ServerReport:
    verdict = ("healthy", "healthy", "healthy", "attention", "failed")[number % 5]
    return ServerReport(
        name=f"web-{number:05}",
        address=f"ssh://10.{number // 65536}.{number // 256 % 256}.{number % 256}",
        provider=("tencent", "aws", "azure")[number % 3],
        verdict=verdict,  # type: ignore[arg-type]
        os=OsRow(release=("2016", "2019", "2022")[number % 3], edition="ServerDatacenter"),
        license=LicenseRow(
            status="licensed",
            kms_host="kms.example:1688",
            expires="2027-05-01T00:00:00Z",
            cmid=f"00000000-0000-0000-0000-{number:012}",
        ),
        findings=FINDINGS.get(verdict, ()),
        executions=1,
    )


def write(address: StoreAddress, run: str, servers: int, pause_s: float) -> None:
    """The rows of a run, as a run writes them."""
    started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    tags = {f"web-{n:05}": ("web", f"group-{n // 5 % 10}") for n in range(servers)}
    start = RunStart(id=run, command="check", started=started, volact="bench", tags=tags)
    writer = StoreWriter(address, start)
    writer.start()
    for number in range(servers):
        writer.row(row(number))
        time.sleep(pause_s)
    end = RunReport(
        volact="bench", command="check", run=run, started=started, elapsed_s=1.0, servers=(),
        summary=Summary(servers=servers),
    )  # fmt: skip
    writer.finish(end)


def put_run(store: Store) -> None:
    spec = RunSpec(verb="check", inventory="main")
    now = moment(datetime.now(UTC))
    values = {
        "id": RUN, "state": "running", "spec": msgspec.json.encode(spec).decode(),
        "servers": 1000, "requested_by": "bench", "requested": now, "begun": now,
    }  # fmt: skip
    store.change(lambda connection: connection.execute(sa.insert(RUNS).values(values)))


def put_tokens(store: Store, number: int) -> list[str]:
    """A token for each reader."""
    now = datetime.now(UTC)
    with changing(store, now, SYSTEM) as change:
        user = users.add(change, NewUser(name="bench", role="viewer"))
    actor = Actor(user=user.id, name=user.name, role=user.role)
    with changing(store, now, actor) as change:
        return [tokens.make(change, NewToken(name=f"reader {n}"))[1] for n in range(number)]


class Place(NamedTuple):
    """The database, the CPU of its own processes, and how often a run commits."""

    address: StoreAddress
    cpu_s: Callable[[], float]
    commits: float


class Server:
    """``volact serve`` of one source."""

    def __init__(self, source: Path, address: StoreAddress) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.name = str(source)
        command = ["-m", "volact", "serve", "--workers", "0", "--listen", f"127.0.0.1:{self.port}"]
        database = address.url or str(address.file)
        environment = {**os.environ, "PYTHONPATH": str(source), "VOLACT_STORE": database}
        with tempfile.TemporaryFile() as log:
            self._process = subprocess.Popen(
                [sys.executable, *command], env=environment, stdout=log, stderr=log
            )
        until_ready(self.port)

    def cpu_s(self) -> float:
        """What it has used so far."""
        return cpu_of(Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2])

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()


def cpu_of(stat: str) -> float:
    user, system = stat.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def busy_s() -> float:
    """CPU time that the whole machine has spent."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, interrupts, soft, *_ = map(int, words)
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


@contextmanager
def database(wanted: bool, folder: Path) -> Iterator[tuple[StoreAddress, Callable[[], float]]]:
    """Where the store is, and the CPU that its processes have used; SQLite has none."""
    if not wanted:
        yield StoreAddress(file=folder / "volact.db", shown="volact.db"), lambda: 0.0
        return
    programs = binaries()
    assert programs is not None, "needs the Debian package postgresql"
    postgres = PostgresServer(programs)
    try:
        postgres.make()
        postgres.start()
        address = parse_address(postgres.new_database())
        assert address is not None
        yield address, postgres.cpu_s
    finally:
        postgres.stop()


@contextmanager
def run_going_on(address: StoreAddress, commits: float) -> Iterator[list[float]]:
    """Rows of 1,000 servers, a hundred a second, over and over; its CPU in the end."""
    used: list[float] = []
    before = os.times()
    writer = SPAWN.Process(target=write_on, args=(address, commits))
    writer.start()
    try:
        yield used
    finally:
        writer.terminate()
        writer.join()
        after = os.times()
        used.append(after.children_user + after.children_system
                    - before.children_user - before.children_system)  # fmt: skip


def write_on(address: StoreAddress, commits: float) -> None:
    if commits:
        threading.Thread(target=beat, args=(address, 1 / commits), daemon=True).start()
    while True:
        write(address, RUN, 1000, 0.01)


def beat(address: StoreAddress, pause_s: float) -> None:
    """What a worker commits beside the rows."""
    with open_service_store(address) as store:
        done = sa.update(RUNS).where(RUNS.c.id == RUN).values(done=RUNS.c.done + 1)
        while True:
            store.change(lambda connection: connection.execute(done))
            time.sleep(pause_s)


def measured(place: Place, server: Server, load: Load, work: Any) -> str:
    """One line of what readers got, what it cost, and what else the machine did."""
    begun, busy = time.monotonic(), busy_s()
    cpu, kept = server.cpu_s(), place.cpu_s()
    with run_going_on(place.address, place.commits) as writing:
        got = in_process(work, load)
        wall = time.monotonic() - begun
        cpu, kept = server.cpu_s() - cpu, place.cpu_s() - kept
    others = busy_s() - busy - cpu - kept - got.cpu_s - writing[0]
    theirs = f", database {kept / wall:.2f} cores" if kept else ""
    return got.line(cpu) + f"{theirs}; others {max(0.0, others) / wall:.1f} cores"


def in_process(work: Any, load: Load) -> Got:
    receive, send = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=answer, args=(send, work, load))
    process.start()
    got: Got = receive.recv()
    process.join()
    return got


def answer(send: Any, work: Any, load: Load) -> None:
    send.send(work(load))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--servers", type=int, default=10_000)
    arguments.add_argument("--readers", type=int, default=50)
    arguments.add_argument("--streams", type=int, default=500)
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--postgresql", action="store_true")
    arguments.add_argument("--commits", type=float, default=10)
    arguments.add_argument("--only", default="", help="only lines with this in their name")
    arguments.add_argument("--source", type=Path, action="append")
    given = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        database(given.postgresql, Path(folder)) as (address, cpu_s_of_it),
    ):
        place = Place(address, cpu_s_of_it, given.commits)
        with open_service_store(address) as store:
            put_run(store)
            keys = put_tokens(store, given.readers)
        write(address, "first", given.servers, 0)
        servers = []
        try:
            for source in given.source or [Path(__file__).parents[1] / "src"]:
                servers.append(Server(source.resolve(), address))
            measure(given, place, servers, keys)
        finally:
            for server in servers:
                server.stop()


def measure(
    given: argparse.Namespace, place: Place, servers: Sequence[Server], keys: list[str]
) -> None:
    s, many = given.seconds, given.readers
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; every line while a run is written"
    )
    for name, paths, number, work in (
        ("one reader, a filter, page of 100", [f"{FILTER}100"], 1, read),
        ("one reader, the fleet in numbers", ["/api/v1/fleet"], 1, read),
        ("one reader, the fleet's page", ["/"], 1, read),
        ("one reader, the page of servers", ["/servers"], 1, read),
        (f"{many} readers, one filter, page of 100", [f"{FILTER}100"], many, read),
        (f"{many} readers, one filter, page of 20", [f"{FILTER}20"], many, read),
        (f"{many} readers, {len(PARTS)} filters, pages of 100", PARTS, many, read),
        (f"{given.streams} event streams", [f"/api/v1/runs/{RUN}/events"], given.streams, streams),
    ):
        if given.only not in name:
            continue
        print(name)
        for server in servers:
            load = Load(port=server.port, keys=keys, paths=paths, number=number, seconds=s)
            if work is read:  # everything is imported
                read(msgspec.structs.replace(load, number=1, seconds=0.5))
            print(f"  {server.name:<30} {measured(place, server, load, work)}", flush=True)


if __name__ == "__main__":
    main()
