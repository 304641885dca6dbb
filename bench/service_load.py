"""How quick the API is: readers of a fleet while a run is written, and open event streams.

    python bench/service_load.py [--servers 10000] [--readers 50] [--streams 500]

A process of its own serves; this one reads, and a third writes the rows of a run.  Readers
are a closed loop: each sends its next request when the answer is there.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import socket
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import sqlalchemy as sa

from volact.client.wire import RunSpec
from volact.model.report import LicenseRow, OsRow, RunReport, ServerReport, Summary
from volact.service.access import Actor
from volact.service.database.schema import SERVICE
from volact.service.database.tables import RUNS
from volact.store.address import Address
from volact.store.clock import moment
from volact.store.engine import writing
from volact.store.schema import require_current
from volact.store.store import Store, open_address
from volact.store.store_writer import StoreWriter
from volact.store.values import RunStart

ACTOR = Actor(user="1", name="bench", role="administrator", via="token")
RUN = "live"


class OneCaller:
    """Every request is an administrator's."""

    async def actor_of(self, connection: Any) -> Actor:
        """See ``app.Authenticator``."""
        return ACTOR


def opened(file: Path) -> Store:
    store = open_address(Address(file=file, shown=file.name))
    assert store is not None
    require_current(store.engine, store.address, SERVICE)
    return store


def row(number: int) -> ServerReport:
    verdict = ("healthy", "healthy", "healthy", "attention", "failed")[number % 5]
    return ServerReport(
        name=f"web-{number:05}",
        address=f"ssh://10.{number // 65536}.{number // 256 % 256}.{number % 256}",
        provider=("tencent", "aws", "azure")[number % 3],
        verdict=verdict,  # type: ignore[arg-type]
        os=OsRow(release=("2016", "2019", "2022")[number % 3], edition="ServerDatacenter"),
        license=LicenseRow(
            status="licensed", kms_host="kms.example:1688", expires="2027-05-01T00:00:00Z"
        ),
        executions=1,
    )


def write(file: Path, run: str, servers: int, pause_s: float) -> None:
    """The rows of a run, as a run writes them."""
    started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    tags = {f"web-{n:05}": ("web", f"group-{n % 10}") for n in range(servers)}
    start = RunStart(id=run, command="check", started=started, volact="bench", tags=tags)
    writer = StoreWriter(Address(file=file, shown=file.name), start)
    writer.start()
    for number in range(servers):
        writer.row(row(number))
        if pause_s:
            time.sleep(pause_s)
    end = RunReport(
        volact="bench", command="check", run=run, started=started, elapsed_s=1.0, servers=(),
        summary=Summary(servers=servers),
    )  # fmt: skip
    writer.finish(end)


def serve(file: Path, listener: socket.socket) -> None:
    import uvicorn  # noqa: PLC0415

    from volact.service.app import Parts  # noqa: PLC0415
    from volact.service.application import application  # noqa: PLC0415
    from volact.service.engine.control import EngineControl  # noqa: PLC0415
    from volact.service.settings import ServiceSettings  # noqa: PLC0415

    store = opened(file)
    settings = ServiceSettings(database=store.address, requests_a_minute=10**9)
    parts = Parts(
        settings=settings,
        store=store,
        authenticator=OneCaller(),
        runs=EngineControl(store, lambda: datetime.now(UTC)),
    )
    config = uvicorn.Config(
        application(parts), log_config=None, access_log=False, timeout_keep_alive=75
    )
    uvicorn.Server(config).run([listener])


async def read(client: httpx.AsyncClient, path: str, until: float, took: list[float]) -> None:
    while time.monotonic() < until:
        begun = time.monotonic()
        answer = await client.get(path)
        took.append(time.monotonic() - begun)
        assert answer.status_code == 200, answer.text


async def readers(url: str, number: int, seconds: float, path: str) -> list[float]:
    took: list[float] = []
    limits = httpx.Limits(max_connections=number)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        until = time.monotonic() + seconds
        await asyncio.gather(*(read(client, path, until, took) for _ in range(number)))
    return took


async def streams(url: str, number: int) -> tuple[float, float]:
    """Open streams: how long until each had its first event, and what a request took beside."""
    limits = httpx.Limits(max_connections=number + 10)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        begun, stop = time.monotonic(), asyncio.Event()
        first = [asyncio.Event() for _ in range(number)]

        async def one(begun: asyncio.Event) -> None:
            async with client.stream("GET", f"/api/v1/runs/{RUN}/events") as answer:
                async for _ in answer.aiter_bytes():
                    begun.set()
                    break
                await stop.wait()

        tasks = [asyncio.create_task(one(event)) for event in first]
        await asyncio.gather(*(event.wait() for event in first))
        opened_s = time.monotonic() - begun
        beside = [await timed(client) for _ in range(20)]
        stop.set()
        await asyncio.gather(*tasks)
    return opened_s, statistics.median(beside)


async def timed(client: httpx.AsyncClient) -> float:
    begun = time.monotonic()
    (await client.get("/api/v1/servers?verdict=failed")).raise_for_status()
    return time.monotonic() - begun


def shown(name: str, took: list[float], seconds: float) -> None:
    if len(took) < 2:
        print(f"{name:<44} no answer in {seconds:.0f} s")
        return
    cut = statistics.quantiles(took, n=100)
    print(
        f"{name:<44} {len(took) / seconds:7.0f}/s  p50 {cut[49] * 1000:6.1f} ms  "
        f"p95 {cut[94] * 1000:6.1f} ms  p99 {cut[98] * 1000:6.1f} ms"
    )


def put_run(store: Store) -> None:
    spec = RunSpec(verb="check", inventory="main")
    now = moment(datetime.now(UTC))
    values = {
        "id": RUN, "state": "running", "spec": msgspec.json.encode(spec).decode(),
        "servers": 1000, "requested_by": "bench", "requested": now, "begun": now,
    }  # fmt: skip
    with writing(store.engine).begin() as connection:
        connection.execute(sa.insert(RUNS).values(values))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--servers", type=int, default=10_000)
    arguments.add_argument("--readers", type=int, default=50)
    arguments.add_argument("--streams", type=int, default=500)
    arguments.add_argument("--seconds", type=float, default=10)
    given = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0), backlog=2048) as listener,
    ):
        file = Path(folder) / "volact.db"
        put_run(opened(file))
        write(file, "first", given.servers, 0)
        start = multiprocessing.get_context("spawn").Process
        server = start(target=serve, args=(file, listener))
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            measure(given, url, lambda: start(target=write, args=(file, RUN, 1000, 0.01)))
        finally:
            server.terminate()
            server.join()


def measure(given: argparse.Namespace, url: str, writer_of: Any) -> None:
    asyncio.run(readers(url, 1, 0.001, "/api/v1/servers?limit=1"))  # everything is imported
    filtered = "/api/v1/servers?verdict=failed&tag=group-4&limit=100"
    for name, path, number in (
        ("one reader, a filter, page of 100", filtered, 1),
        ("one reader, the fleet in numbers", "/api/v1/fleet", 1),
        (f"{given.readers} readers, a filter, page of 100", filtered, given.readers),
        (f"{given.readers} readers, a filter, page of 20", filtered[:-3] + "20", given.readers),
    ):
        writer = writer_of() if number > 1 else None
        if writer:
            writer.start()
        shown(name, asyncio.run(readers(url, number, given.seconds, path)), given.seconds)
        if writer:
            writer.terminate()
            writer.join()
    opened_s, beside = asyncio.run(streams(url, given.streams))
    print(f"{given.streams} event streams open after {opened_s:.1f} s; a list beside them: "
          f"{beside * 1000:.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
