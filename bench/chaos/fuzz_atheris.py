"""Coverage-guided fuzz of one target, by atheris (libFuzzer for Python).

    python bench/chaos/fuzz_atheris.py TARGET [libFuzzer's options, such as -runs=20000]

The same targets as ``fuzz_run``; atheris chooses the inputs by what they
reach.  Needs an environment with ``pip install atheris`` (``requirements.txt``).
"""

from __future__ import annotations

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
    """Fuzz until libFuzzer ends the process."""
    target, options = TARGETS[sys.argv[1]], sys.argv[2:]
    seeds = list(target.seeds())
    folder = Path(tempfile.mkdtemp(prefix="volact-atheris-"))
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
        [sys.argv[0], *options, "-timeout=30", f"-artifact_prefix={folder}/", str(folder)],
        one,
        custom_mutator=change,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
