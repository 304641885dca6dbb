"""Processes that volact starts find volact, and the programs that they start do not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from volact.child_process import python_environment

# As each of volact's own processes begins, and the variable that its programs get.
BEGINS = (
    "from volact.child_process import forget_path as begin",
    "from volact.cli.entry import stand_on_any_ground as begin",
)
SHOWS = """
import subprocess, sys
sys.path[:] = [path for path in sys.path if path]
begin()
show = "import os; print(os.environ.get('PYTHONPATH'), 'VOLACT_PATH_BEFORE' in os.environ)"
subprocess.run([sys.executable, "-c", show], check=True)
"""


@pytest.mark.parametrize("begin", BEGINS)
@pytest.mark.parametrize("before", [None, "/somewhere/else"])
def test_a_program_that_a_process_of_volact_starts_has_its_own_libraries(
    begin: str, before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONPATH", before)
    environment = python_environment()
    assert environment["PYTHONPATH"].split(":")[0] == next(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-P", "-c", begin + SHOWS],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(before), "False"]
