"""Coverage-guided fuzz of one target, by atheris (libFuzzer for Python).

    python bench/chaos/fuzz_atheris.py TARGET [libFuzzer's options, such as -runs=20000]

The same targets as ``fuzz_run``; atheris chooses the inputs by what they
reach.  Needs an environment with ``pip install atheris`` (``requirements.txt``).
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parent)]
warnings.filterwarnings("ignore")

with atheris.instrument_imports(include=["volact"]):
    from fuzz_base import Crash, judge
    from fuzz_run import TARGETS
    from mutate import mutated_json


def main() -> None:
    """Fuzz in a process of its own, which libFuzzer ends as it is; what crashes stays here."""
    with tempfile.TemporaryDirectory(prefix="volact-atheris-") as folder:
        if not (child := os.fork()):
            fuzz(Path(folder))
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def fuzz(folder: Path) -> None:
    """Fuzz until libFuzzer ends the process; inputs are kept in the folder."""
    target, options = TARGETS[sys.argv[1]], sys.argv[2:]
    seeds = list(target.seeds())
    for number, seed in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(seed)

    def one(data: bytes) -> None:
        outcome, _ = judge(target, data)
        if isinstance(outcome, Crash):
            raise RuntimeError(outcome.why)  # noqa: TRY004  # no wrong type

    def change(data: bytes, most: int, seed: int) -> bytes:
        """Half of the time a change that keeps the form."""
        if target.kind == "json" and seed % 2:
            try:
                return mutated_json(data, seeds, random.Random(seed))[:most]
            except ValueError:
                pass
        return bytes(atheris.Mutate(data, most))

    atheris.Setup(
        [sys.argv[0], *options, "-timeout=30", str(folder)],
        one,
        custom_mutator=change,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
