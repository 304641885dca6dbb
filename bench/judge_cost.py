"""What judging one server costs: assessment, findings, plan, verdict and row.

    python bench/judge_cost.py [--rounds N]

Prints one JSON object: CPU milliseconds a server over the cases of tests/cases,
of all of them and of the healthy ones; the best of the rounds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "accuracy"), str(TESTS / "core")]

from case_file import Case, load_cases  # noqa: E402  (after the path)
from case_server import clock_of, context_of, facts_of  # noqa: E402

from volact.core.assessment import assess  # noqa: E402
from volact.core.context import Context  # noqa: E402
from volact.core.facts import read_facts  # noqa: E402
from volact.core.findings import diagnose  # noqa: E402
from volact.core.plan import make_plan  # noqa: E402
from volact.core.rows import license_row, os_row  # noqa: E402
from volact.core.verify import verify  # noqa: E402
from volact.model.facts import Facts  # noqa: E402
from volact.model.step import Plan, StepResult  # noqa: E402


def judge(facts: Facts, ctx: Context, results: tuple[StepResult, ...]) -> None:
    """Everything that the core does with the facts of one server."""
    a = assess(facts, ctx, results)
    findings = diagnose(a)
    make_plan(a, findings)
    verify(Plan(), findings, findings, a)
    os_row(a)
    license_row(a)


def cost_ms(cases: Sequence[Case], rounds: int) -> float:
    """CPU milliseconds a server; every round has facts of its own, as every server has."""
    answers = [(facts_of(c), clock_of(c), context_of(c), c.results) for c in cases]
    spent: list[float] = []
    for _ in range(rounds):
        servers = [(read_facts(raw, clock), ctx, done) for raw, clock, ctx, done in answers]
        begun = time.process_time()
        for facts, ctx, results in servers:
            judge(facts, ctx, results)
        spent.append((time.process_time() - begun) * 1000 / len(servers))
    return min(spent)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    cases = load_cases()
    healthy = [case for case in cases if not case.expect.errors and not case.expect.warnings]
    found = {"all": cost_ms(cases, rounds), "healthy": cost_ms(healthy, rounds)}
    print(json.dumps({name: round(ms, 4) for name, ms in found.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
