"""How long questions to the store take over a large fleet: by the clock and by CPU.

    python bench/queries.py [--servers 10000] [--runs 10] [--times 200] [--store URL]

Each question is asked of an open store as a program with an API would ask it, again and
again with another filter, page or server.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from memory import RELEASES, fill
from volact.queries.diff import DiffQuery
from volact.queries.expiring import ExpiringQuery
from volact.queries.filters import ServerFilter
from volact.queries.history import HistoryQuery
from volact.queries.pages import PageRequest
from volact.queries.runs import RunsQuery
from volact.queries.servers import RunServersQuery, ServersQuery
from volact.queries.status import StatusQuery
from volact.store import open_store
from volact.store.store import Store

PAGE = PageRequest(limit=100)


def questions(store: Store, servers: int) -> dict[str, Callable[[random.Random], object]]:
    """The questions, each with something of its own every time."""
    now = datetime.now(UTC)
    last, before = (run.id for run in store.runs(2))

    def page(**given: object) -> object:
        filter = ServerFilter(**given)  # type: ignore[arg-type]
        return ServersQuery(now=now, filter=filter).page(store, PAGE)

    def middle(rng: random.Random) -> object:
        first = ServersQuery(now=now).page(store, PageRequest(limit=rng.randint(1, 1000)))
        return ServersQuery(now=now).page(store, PageRequest(cursor=first.next))

    return {
        "page of all": lambda rng: page(),
        "a page and the next": middle,
        "page by glob": lambda rng: page(names=(f"web-{rng.randint(0, 99):02}*",)),
        "page by verdict": lambda rng: page(verdicts=(rng.choice(("unreachable", "attention")),)),
        "page by finding": lambda rng: page(findings=("kms-unreachable",)),
        "page by release and verdict": lambda rng: page(
            releases=(rng.choice(RELEASES),), verdicts=("attention",)
        ),
        "page by tag (none has it)": lambda rng: page(tags=(f"t{rng.random()}",)),
        "page by end of licence": lambda rng: ServersQuery(
            now=now,
            order="ends",
            filter=ServerFilter(ends_before=now + timedelta(days=rng.randint(5, 60))),
        ).page(store, PAGE),
        "page of a run's rows": lambda rng: RunServersQuery(
            run=last, filter=ServerFilter(verdicts=("attention",))
        ).page(store, PAGE),
        "count by verdict": lambda rng: ServersQuery(
            now=now, filter=ServerFilter(verdicts=("healthy",))
        ).count(store),
        "findings by number": lambda rng: ServersQuery(now=now).findings(store),
        "status in numbers": lambda rng: StatusQuery(now=now).ask(store),
        "expiring within 7 days": lambda rng: ExpiringQuery(now=now, within=timedelta(days=7)).ask(
            store
        ),
        "history of a server": lambda rng: HistoryQuery(
            server=f"web-{rng.randrange(servers):05}"
        ).ask(store, PageRequest()),
        "page of runs": lambda rng: RunsQuery().page(store, PAGE),
        "diff of two runs": lambda rng: DiffQuery(before=before, after=last).ask(store),
    }


def main() -> int:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--servers", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--store", default="", help="one that is filled already, or PostgreSQL")
    parser.add_argument("--filled", action="store_true", help="the store is filled already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.store or str(Path(folder) / "volact.db")
        if not options.filled:
            fill(url, options.servers, options.runs)
        with open_store(url, create=True) as store:
            print("| question | median ms | p95 ms | CPU median ms |\n|---|---|---|---|")
            for name, ask in questions(store, options.servers).items():
                took = [_timed(ask, random.Random(at)) for at in range(options.times)]
                wall = sorted(each for each, _ in took)
                cpu = statistics.median(each for _, each in took)
                p95 = wall[int(len(wall) * 0.95)]
                said = f"{statistics.median(wall):.1f} | {p95:.1f} | {cpu:.1f}"
                print(f"| {name} | {said} |", flush=True)
    return 0


def _timed(ask: Callable[[random.Random], object], rng: random.Random) -> tuple[float, float]:
    """Milliseconds by the clock, and of this process's CPU."""
    begun, used = time.perf_counter(), time.process_time()
    ask(rng)
    return (time.perf_counter() - begun) * 1000, (time.process_time() - used) * 1000


if __name__ == "__main__":
    sys.exit(main())
