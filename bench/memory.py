"""What the verbs that read the store cost over a large fleet: seconds and peak memory.

    python bench/memory.py [--servers 10000] [--runs 10] [--store URL]

Fills a store with rows as runs leave them (a tenth of the servers in trouble, a few
changing from run to run), then starts each verb as a person does and reads its time
and its largest resident set from the system.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from volact.model.finding import Finding
from volact.model.report import (
    ErrorRow,
    LicenseRow,
    OsRow,
    RunReport,
    ServerReport,
    Summary,
)
from volact.store.address import parse_address
from volact.store.store_writer import StoreWriter
from volact.store.values import RunStart

RELEASES = ("2008 R2", "2012 R2", "2016", "2019", "2022", "2025")
TROUBLE = Finding(
    id="kms-unreachable",
    severity="error",
    summary="No KMS host answers: kms.tencentyun.com:1688 refused",
    evidence={"hosts": {"kms.tencentyun.com:1688": {"why": "refused"}}, "why": "refused"},
    repair="manual",
    remedy="Let the server reach kms.tencentyun.com at TCP 1688",
)
NOT_LICENSED = Finding(
    id="not-licensed",
    severity="error",
    summary="Windows is not licensed (notification mode): 0xC004F074",
    evidence={"status": "notification", "code": 0xC004F074},
    repair="automatic",
)

# The peak of this program alone: what wait4 reports includes the process that started it.
PROGRAM = """
import sys
from volact.cli.entry import main
main(sys.argv[1:])
status = open("/proc/self/status").read()
sys.stderr.write(" ".join(status.partition("VmHWM:")[2].split()[:1]))
"""


def server(number: int, chance: random.Random, now: datetime) -> ServerReport:
    """One row."""
    name = f"web-{number:05d}"
    address = f"10.{number // 60000}.{number // 250 % 250}.{number % 250 + 1}"
    lot = chance.random()
    base = ServerReport(
        name=name, address=f"ssh://{address}", provider="tencent", verdict="unreachable"
    )
    if lot < 0.03:
        error = ErrorRow(kind="timeout", message="no answer within 120 s")
        return msgspec.structs.replace(base, error=error, elapsed_s=120.0)
    os_row = OsRow(
        release=RELEASES[number % 6], build=17763, edition="ServerDatacenter", language="zh-CN"
    )
    left = now + timedelta(days=chance.uniform(5, 180))
    license = LicenseRow(
        status="licensed",
        channel="VOLUME_KMSCLIENT",
        partial_key="J464C",
        kms_host="kms.tencentyun.com:1688",
        kms_source="service",
        expires=f"{left:%Y-%m-%dT%H:%M:00Z}",
        cmid=f"5d3f1b58-1b0f-4f1c-9a4e-{number:012d}",
    )
    seen = msgspec.structs.replace(
        base, os=os_row, license=license, executions=1, addresses=(address,)
    )
    if lot < 0.1:
        return msgspec.structs.replace(
            seen,
            verdict="attention",
            license=msgspec.structs.replace(license, status="notification", expires=None),
            findings=(TROUBLE, NOT_LICENSED),
        )
    return msgspec.structs.replace(seen, verdict="healthy", reason="Nothing to do.", elapsed_s=0.4)


def fill(url: str, servers: int, runs: int) -> float:
    """Keep the runs; the seconds it took."""
    address = parse_address(url)
    assert address is not None
    begun, chance = time.monotonic(), random.Random(1)
    for run in range(runs):
        now = datetime.now(UTC)
        run_start = RunStart(
            id=f"{run:016x}",
            command="check",
            started=f"{now:%Y-%m-%dT%H:%M:%SZ}",
            volact="0.1.0",
            words="volact check -i fleet.toml",
        )
        store_writer = StoreWriter(address, run_start)
        store_writer.start()
        for number in range(servers):
            store_writer.row(server(number, chance, now))
        kept = store_writer.finish(
            RunReport(
                volact="0.1.0",
                command="check",
                run=run_start.id,
                started=run_start.started,
                elapsed_s=60.0,
                servers=(),
                summary=Summary(servers=servers),
            )
        )
        assert not kept.problem, kept.problem
    return time.monotonic() - begun


def verbs(url: str) -> Iterator[tuple[str, ...]]:
    """The command lines that are measured."""
    store = ("--store", url)
    for output in ("text", "json", "csv"):
        yield ("status", "-o", output, *store)
    yield ("status", "--limit", "web-000*", *store)
    yield ("expiring", "--within", "30d", *store)
    yield ("diff", "last~1", "last", *store)
    yield ("history", "web-00042", *store)
    yield ("runs", *store)
    yield ("--version",)


def measure(args: tuple[str, ...]) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds, peak memory in KB of one command."""
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as told, Path(os.devnull).open("w") as nowhere:
        child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *args], stdout=nowhere, stderr=told
        )
        _, _, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - begun
        told.seek(0)
        return wall, used.ru_utime + used.ru_stime, int(told.read().split()[-1])


def main() -> int:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--store", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.store or str(Path(folder) / "volact.db")
        took = fill(url, options.servers, options.runs)
        rows = options.servers * options.runs
        print(f"{rows} rows kept in {took:.1f} s, {took / rows * 1000:.2f} ms a row")
        print("| command | wall s | CPU s | peak MB |\n|---|---|---|---|")
        for args in verbs(url):
            wall, cpu, peak = measure(args)
            said = " ".join(args[: args.index("--store")] if "--store" in args else args)
            print(f"| volact {said} | {wall:.2f} | {cpu:.2f} | {peak / 1024:.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
