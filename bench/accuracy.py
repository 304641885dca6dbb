"""How often volact's diagnosis and plans are right: the cases of tests/cases.

    python bench/accuracy.py            the table, and what is not as expected
    python bench/accuracy.py WORD ...   only cases whose name holds every word,
                                        with what volact says about each

Exit code 1 below the bar: every expected error found, precision over 98 %,
every plan as expected, no unsafe plan.  docs/accuracy.md shows how to add a case.
"""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "accuracy"), str(TESTS / "core")]

from case_file import BadCaseError, label, load_cases  # noqa: E402  (after the path)
from judging import Judged, judge  # noqa: E402
from scoring import score, table  # noqa: E402


def main(words: list[str]) -> int:
    """Judge the cases and print; the exit code shows whether the bar is met."""
    try:
        cases = load_cases()
    except BadCaseError as error:
        print(error, file=sys.stderr)
        return 2
    chosen = [case for case in cases if all(w.lower() in label(case).lower() for w in words)]
    if not chosen:
        print(f"no case is named {' '.join(words)}", file=sys.stderr)
        return 2
    judged = [judge(case) for case in chosen]
    if words:
        print("\n\n".join(described(one) for one in judged), end="\n\n")
    found = score(judged)
    print(table(found))
    for line in found.failures():
        print(f"below the bar: {line}")
    return 1 if found.failures() else 0


def described(one: Judged) -> str:
    """volact's findings and plan for one case."""
    answer = one.answer
    parts = {
        "errors": answer.errors,
        "warnings": answer.warnings,
        "infos": answer.infos,
        "plan": answer.plan,
        "refused for": answer.refusals,
    }
    lines = [f"  {name:<12} {', '.join(value)}" for name, value in parts.items() if value]
    return "\n".join([label(one.case), f"  {one.case.story}", *lines])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
