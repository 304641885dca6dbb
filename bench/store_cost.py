"""What keeping a run costs beyond the run: CPU, time, memory and disk for each server.

    python bench/store_cost.py [--servers 1000 10000] [--store URL]

A small lab is checked and activated once; what the store then holds (rows, steps,
raw facts, as real as the lab) is given to a writer again under as many names as are
asked for, as fast as it takes them, 200 servers at a time, each waiting for its steps
to be on the disk.  Every measurement is a process of its own; the same loop without
a store is taken off.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from volact.cli.child_lab import child_lab
from volact.model.report import RunReport, ServerReport, Summary
from volact.model.step import Intent
from volact.store import open_store
from volact.store.address import parse_address
from volact.store.store_writer import StoreWriter
from volact.store.values import RunStart

AT_ONCE = 200
LAB = 60


class Sample(msgspec.Struct):
    """One server of the lab: its row, what it was sent, and its looks."""

    report: ServerReport
    intents: list[Intent]
    looks: list[dict[str, Any]]


def main() -> None:
    """Measure, or be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--servers", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--store", default="", help="PostgreSQL instead of a file")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        samples, store, servers = options.one
        given = msgspec.json.decode(Path(samples).read_bytes(), type=list[Sample])
        print(json.dumps(asyncio.run(feed(given, store, int(servers)))))
        return
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder) / "samples.json"
        samples.write_bytes(msgspec.json.encode(taken(Path(folder))))
        print("servers  CPU ms/server  wall ms/server  peak MB (without)  disk KB/server")
        for servers in options.servers:
            file = Path(folder) / f"{servers}.db"
            without = measured(samples, "none", servers)
            kept = measured(samples, options.store or str(file), servers)
            disk = file.stat().st_size / servers / 1024 if file.exists() else float("nan")
            cpu, wall = (
                (kept[name] - without[name]) / servers * 1000 for name in ("cpu_s", "wall_s")
            )
            memory = f"{kept['peak_mb']:.0f} ({without['peak_mb']:.0f})"
            print(f"{servers:7}  {cpu:13.2f}  {wall:14.2f}  {memory:>17}  {disk:14.1f}")


def taken(folder: Path) -> list[Sample]:
    """What a run over a lab leaves in a store."""
    store = str(folder / "lab.db")
    with child_lab("simple", LAB, 3) as inventory:
        command = [sys.executable, "-m", "volact", "activate", "-i", str(inventory), "--yes"]
        subprocess.run([*command, "--store", store], check=False, capture_output=True)
    with open_store(store, create=True) as opened:
        run = opened.find_run("last").id
        found = {row.report.name: Sample(row.report, [], []) for row in opened.rows(run)}
        for intent in opened.intents(run):
            found[intent.server].intents.append(intent)
        for look in opened.looks(run):
            found[look["server"]].looks.append(look)
    return list(found.values())


def measured(samples: Path, store: str, servers: int) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--one", str(samples), store, str(servers)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


async def feed(given: list[Sample], store: str, servers: int) -> dict[str, float]:
    """Keep so many servers."""
    address = parse_address(store)
    run = os.urandom(8).hex()
    run_start = RunStart(id=run, command="activate", started="2026-01-01T00:00:00Z", volact="bench")
    store_writer = StoreWriter(address, run_start) if address else None
    cpu, wall = time.process_time(), time.monotonic()
    if store_writer:
        store_writer.start()
    source = iter(range(servers))
    await asyncio.gather(*(_worker(source, given, store_writer) for _ in range(AT_ONCE)))
    if store_writer:
        end = RunReport(
            volact="bench",
            command="activate",
            run=run,
            started=run_start.started,
            elapsed_s=1.0,
            servers=(),
            summary=Summary(servers=servers),
        )
        kept = store_writer.finish(end)
        assert not kept.problem, kept.problem
    return {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.monotonic() - wall,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


async def _worker(
    source: Iterator[int], given: Sequence[Sample], store_writer: StoreWriter | None
) -> None:
    for at in source:
        sample = given[at % len(given)]
        name = f"web-{at:05}"
        report = msgspec.structs.replace(sample.report, name=name)
        for look in sample.looks:
            if store_writer:
                store_writer.seen(name, look["look"], look["facts"])
        for intent in sample.intents:
            named = msgspec.structs.replace(intent, server=name)
            if store_writer:
                await store_writer.sending(named)
        if store_writer:
            store_writer.row(report)
            await store_writer.room()
        await asyncio.sleep(0)


if __name__ == "__main__":
    main()
