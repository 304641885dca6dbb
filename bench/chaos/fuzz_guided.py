"""The coverage-guided part of the fuzz: atheris over every target, a few seconds each.

atheris is installed into a folder of its own; where it does not install, that
is reported and nothing is run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_FOLDER = HERE.parents[1] / ".venv-chaos"
_WANTED = HERE / "requirements.txt"
_DONE = re.compile(r"#(\d+)\s+DONE\s+cov: (\d+)")


@dataclass(frozen=True)
class Guided:
    """The result of one target: runs, edges reached, and the end of its output if it failed."""

    target: str
    runs: int
    edges: int
    wrong: str = ""


def installed() -> bool:
    """Whether atheris is there, after it was tried to be installed."""
    if (_FOLDER / "atheris").is_dir():
        return True
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "--no-deps", "--target", str(_FOLDER), "-r", str(_WANTED)],
        check=False,
        capture_output=True,
    )
    return done.returncode == 0


def run(names: list[str], seconds: int, seed: int) -> list[Guided]:
    """Every target for so many seconds, two at a time."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(lambda name: _one(name, seconds, seed), names))


def _one(name: str, seconds: int, seed: int) -> Guided:
    words = [sys.executable, str(HERE / "fuzz_atheris.py"), name]
    done = subprocess.run(
        [*words, f"-max_total_time={seconds}", f"-seed={seed}"],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONPATH": str(_FOLDER)},
    )
    said = _DONE.findall(done.stderr)
    runs, edges = map(int, said[-1]) if said else (0, 0)
    wrong = "" if done.returncode == 0 and said else (done.stdout + done.stderr)[-1500:]
    return Guided(name, runs, edges, wrong)


def table(found: list[Guided], seconds: int) -> str:
    """The runs as Markdown."""
    lines = ["| target | inputs | edges reached | crashes |", "|---|---|---|---|"]
    lines += [
        f"| `{one.target}` | {one.runs:,} | {one.edges:,} | {int(bool(one.wrong))} |"
        for one in found
    ]
    total = sum(one.runs for one in found)
    crashes = sum(bool(one.wrong) for one in found)
    lines.append(f"| **all** | **{total:,}** | | **{crashes}** |")
    return "\n".join([*lines, "", f"{seconds} s for each target."])
