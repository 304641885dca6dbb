"""The same fleet behind every manner of a KMS host: same verdicts, same repairs.

    python bench/manners.py [--scenario hard] [--servers 60] [--seeds 1 2]

Each server of the fleet is checked, activated and checked again, over SSH, WinRM and
the cloud as the scenario says, once for each manner.  What differs from the first
manner is printed, and the exit code is 1.  A device that answers HTTP at the port is
named by a finding of its own, which is the one difference that is right.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from volact.core.consent import ASKING_STEPS
from volact.core.context import Policy
from volact.fleet import Control, run_fleet
from volact.inventory import Secrets, load_inventory
from volact.model.report import ServerReport
from volact.pipeline import Job
from volact.transports.connect import make_opener
from volact_lab.fleet import fleet
from volact_lab.hosts.manners import MANNERS, Manner
from volact_lab.lab import Lab
from volact_lab.scenario import load_scenario
from volact_lab.windows.spec import Spec

_POLICY = Policy(replace_key=True, consent=frozenset(ASKING_STEPS))
_BY_MANNER = "kms-answered-by-http"
# What became of one server: verdict before, steps with their results, verdict after.
Course = tuple[str, tuple[str, ...], tuple[str, ...], str]


def behind(specs: tuple[Spec, ...], manner: Manner) -> tuple[Spec, ...]:
    """The same servers, whose KMS hosts have this manner."""
    form = ("kms-manner", MANNERS.index(manner))
    return tuple(replace(spec, forms=(*spec.forms, form)) for spec in specs)


async def courses(scenario: str, specs: tuple[Spec, ...], seed: int) -> dict[str, Course]:
    """By server name: check, activate, check."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lab.toml"
        async with Lab(scenario, specs, seed, patience=0.01) as lab:
            lab.write_inventory(path)
            first = await _run(path, "check", Policy())
            repaired = await _run(path, "activate", _POLICY)
            last = await _run(path, "check", Policy())
            if lab.errors:
                raise lab.errors[0][1]
    return {
        name: (first[name].verdict, _found(first[name]), _done(repaired[name]), last[name].verdict)
        for name in first
    }


async def _run(path: Path, mode: Any, policy: Policy) -> dict[str, ServerReport]:
    inventory = load_inventory(path)
    job = Job(mode=mode, images=inventory.images, policy=policy, deadline_s=900)
    stream = run_fleet(inventory.servers, make_opener(Secrets()), job, Control(concurrency=20))
    return {report.name: report async for report in stream}


def _found(report: ServerReport) -> tuple[str, ...]:
    return tuple(sorted(found.id for found in report.findings if found.id != _BY_MANNER))


def _done(report: ServerReport) -> tuple[str, ...]:
    """The steps that changed something, and those that failed."""
    results = [result for result in report.results if result["changed"] or not result["ok"]]
    return tuple(sorted(f"{r['do']} {'ok' if r['ok'] else 'failed'}" for r in results))


async def compare(scenario: str, servers: int, seed: int) -> list[str]:
    """Print a line for each manner; the differences from the first."""
    specs = fleet(load_scenario(scenario), servers, seed)
    got = await asyncio.gather(
        *(courses(scenario, behind(specs, manner), seed) for manner in MANNERS)
    )
    wrong: list[str] = []
    for manner, mine in zip(MANNERS, got, strict=True):
        differ = [
            f"seed {seed}, {manner}, {name}: {mine[name]} instead of {course}"
            for name, course in got[0].items()
            if mine[name] != course
        ]
        counts = sorted(Counter(course[-1] for course in mine.values()).items())
        shown = " ".join(f"{number} {verdict}" for verdict, number in counts)
        sys.stdout.write(f"seed {seed}  {manner:13}  {shown}  {len(differ)} differ\n")
        wrong += differ
    return wrong


def main() -> int:
    """Compare, print, exit 1 where a manner makes a difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--scenario", default="hard")
    parser.add_argument("--servers", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    wrong: list[str] = []
    for seed in options.seeds:
        wrong += asyncio.run(compare(options.scenario, options.servers, seed))
    sys.stdout.write("\n".join(wrong) + "\n" if wrong else "every manner: the same\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
