"""Everything of ``make chaos``, part by part; the tables go into the page.

    python bench/chaos/chaos_run.py [--only faults] [--quick] [--seed 1]

Writes ``docs/reliability.md`` between its marks, but for --quick.  Exit code 1
when anything was not as it has to be.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import platform
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]

import endpoints_run  # noqa: E402  (after the path)
import fault_run  # noqa: E402
import fuzz_guided  # noqa: E402
import fuzz_run  # noqa: E402
import hostile_clients  # noqa: E402
import hostile_clouds  # noqa: E402
import hostile_run  # noqa: E402
import kill_run  # noqa: E402
import outage_run  # noqa: E402
import workers_run  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
# What a part gives: its text for the page, and what was wrong.
Part = Callable[[int, bool], tuple[str, list[str]]]


def say(text: str) -> None:
    """Progress, for the terminal."""
    print(text, file=sys.stderr, flush=True)


def faults(seed: int, quick: bool) -> tuple[str, list[str]]:
    """Every fault of a line, with several seeds."""
    found = [asyncio.run(fault_run.run(seed + more)) for more in range(1 if quick else 3)]
    count, seconds = sum(len(one.judged) for one in found), sum(one.wall_s for one in found)
    stale = sum(judged.left > 0 for one in found for judged in one.judged)
    text = (
        f"{count} faults in {len(found)} runs ({seconds:.0f} s), each with the seed of its run. "
        f"On {stale} servers a file stayed behind because the line was gone before it could be "
        "removed."
    )
    wrong = [line for one in found for line in one.all_wrong]
    return f"{fault_run.table(found)}\n\n{text} Wrong: {len(wrong)}.", wrong


def outages(seed: int, quick: bool) -> tuple[str, list[str]]:
    """Outages in the middle of a rollout."""
    servers = 10 if quick else 40
    found = [asyncio.run(outage_run.meet(name, servers, seed)) for name in outage_run.OUTAGES]
    return outage_run.table(found), [f"{one.name}: {w}" for one in found for w in one.wrong]


def kills(seed: int, quick: bool) -> tuple[str, list[str]]:
    """volact killed and run again."""
    number, servers = (5, 8) if quick else (100, 16)
    begun = time.monotonic()
    found = kill_run.run(number, servers, seed, kill_run.tell)
    wrong = [f"kill {kill.number}: {line}" for kill in found for line in kill.wrong]
    took = f"{number} kills over {servers} servers in {time.monotonic() - begun:.0f} s."
    return f"{kill_run.table(found)}\n\n{took}", wrong


def workers(seed: int, quick: bool) -> tuple[str, list[str]]:
    """Workers and consoles of the service killed, stopped and woken, PostgreSQL restarted."""
    number, servers = (4, 30) if quick else (60, 500)
    found = workers_run.run(number, servers, seed, say)
    return workers_run.table(found), found.wrong


def hostile(seed: int, quick: bool) -> tuple[str, list[str]]:
    """Peers that send without end or lie, in a limit of memory."""
    found, asked = hostile_run.meet(seed), endpoints_run.meet(quick=quick)
    clouds = hostile_clouds.meet(seed, quick=quick)
    tables = (hostile_run.table(found), hostile_clouds.table(clouds), endpoints_run.table(*asked))
    return "\n\n".join(tables), [*found.wrong, *clouds.wrong, *asked[2]]


def clients(_seed: int, quick: bool) -> tuple[str, list[str]]:
    """Clients that mean harm to the service, in a limit of memory."""
    found = hostile_clients.meet(600 if quick else 10_000)
    return hostile_clients.table(found), found.wrong


def fuzz(seed: int, quick: bool) -> tuple[str, list[str]]:
    """Every reader with changed real inputs."""
    begun = time.perf_counter()
    found = fuzz_run.run(20_000 if quick else 1_000_000, seed, os.cpu_count() or 1)
    text = fuzz_run.table(found, time.perf_counter() - begun)
    crashes = fuzz_run.all_crashes(found)
    if crashes:
        fuzz_run.keep(crashes)
    return text, [f"{crash.target}: {crash.why}" for crash in crashes]


def guided(seed: int, quick: bool) -> tuple[str, list[str]]:
    """The same readers with inputs that coverage chooses."""
    if not fuzz_guided.installed():
        return "atheris does not install for this Python; nothing was run.", []
    seconds, names = (2, ["sddl"]) if quick else (6, list(fuzz_run.TARGETS))
    found = fuzz_guided.run(names, seconds, seed)
    wrong = [f"{one.target}: {one.wrong}" for one in found if one.wrong]
    return fuzz_guided.table(found, seconds), wrong


PARTS: dict[str, Part] = {
    "faults": faults,
    "outages": outages,
    "kills": kills,
    "workers": workers,
    "hostile": hostile,
    "clients": clients,
    "fuzz": fuzz,
    "guided": guided,
}


def where() -> str:
    """This machine and the day."""
    cores = f"{os.cpu_count()} cores ({_processor()})"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{datetime.now(UTC).date().isoformat()}, {cores}, {python}"


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def write(part: str, text: str) -> None:
    """Put a part's tables between its marks."""
    page = PAGE.read_text("utf-8")
    new, count = re.subn(
        rf"(<!-- {part} -->\n).*?(<!-- end of {part} -->)",
        lambda match: f"{match[1]}\n{text}\n\nMeasured {where()}.\n\n{match[2]}",
        page,
        flags=re.DOTALL,
    )
    if count != 1:
        raise SystemExit(f"{PAGE} has no marks for {part}")
    PAGE.write_text(new, "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(PARTS), default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    os.environ.pop("VOLACT_STORE", None)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # the lab's own broken lines
    logging.getLogger("pypsrp").setLevel(logging.CRITICAL)
    failed = 0
    for name in wanted.only or PARTS:
        say(f"{name} ...")
        begun = time.monotonic()
        text, wrong = PARTS[name](wanted.seed, wanted.quick)
        print(f"\n{text}\n", flush=True)
        failed += len(wrong)
        for line in wrong:
            print(f"WRONG {name}: {line}", flush=True)
        say(f"{name}: {time.monotonic() - begun:.0f} s, {len(wrong)} wrong")
        if not wanted.quick:
            write(name, text)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
