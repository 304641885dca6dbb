"""Shell completion in every shell, as the shell's own function asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_run import volact

pytestmark = pytest.mark.xdist_group("completion")  # its scripts are made once
INVENTORY = """
[[server]]
name = "web-01"
address = "ssh://10.0.0.5"
tags = ["web", "front"]
password-command = ["false"]

[[server]]
name = "db-01"
address = "ssh://10.0.0.6"
"""


def completed(shell: str, line: str, folder: Path) -> list[str]:
    """What volact offers for the last word of a line."""
    words = line.split(" ")
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
        "powershell": {
            "_TYPER_COMPLETE_ARGS": line,
            "_TYPER_COMPLETE_WORD_TO_COMPLETE": words[-1],
        },
    }
    given = {"_VOLACT_COMPLETE": f"complete_{shell}", **asked[shell]}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in given.items():
            patch.setenv(name, value)
        done = volact()
    assert "Traceback" not in done.stderr
    plain = (
        done.stdout.replace("_arguments '*: :((", "")
        .replace("))'", "")
        .replace('"', "")
        .replace(chr(92), "")
    )
    return [word.partition(":::")[0].strip() for word in plain.splitlines() if word.strip()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("completion")
    (made / "fleet.toml").write_text(INVENTORY)
    (made / "broken.toml").write_text("[[server]\n")
    volact("check", "ssh://127.0.0.1:1", "--store", str(made / "s.db"), "--retries", "0")
    return made


def test_the_program_itself_completes(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "volact"],
        env={**os.environ, "_VOLACT_COMPLETE": "complete_bash",
             "COMP_WORDS": "volact check -i fleet.toml w", "COMP_CWORD": "4"},
        capture_output=True, text=True, timeout=600, check=False, cwd=folder,
    )  # fmt: skip
    assert (done.stdout.split(), done.stderr) == (["web-01", "web"], "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_targets_runs_servers_and_findings_complete(shell: str, folder: Path) -> None:
    assert completed(shell, "volact check -i fleet.toml w", folder) == ["web-01", "web"]
    assert completed(shell, "volact activate -i fleet.toml --limit d", folder) == ["db-01"]
    assert completed(shell, "volact explain clock-se", folder) == ["clock-set-back"]
    runs = completed(shell, "volact diff --store s.db ", folder)
    assert runs[0] == "last"
    assert len(runs) == 2
    assert completed(shell, f"volact export --store s.db {runs[1][:4]}", folder) == runs[1:]
    assert completed(shell, "volact history --store s.db 1", folder) == ["127.0.0.1:1"]


def test_an_undo_takes_a_run_and_then_servers(folder: Path) -> None:
    assert completed("bash", "volact undo --store s.db la", folder) == ["last"]
    assert completed("bash", "volact undo --store s.db last 1", folder) == ["127.0.0.1:1"]


@pytest.mark.parametrize(
    "line", ["volact check -i broken.toml w", "volact diff --store none.db x", "volact check q"]
)
def test_what_cannot_be_read_completes_nothing(line: str, folder: Path) -> None:
    assert completed("bash", line, folder) == []
    assert not (folder / "none.db").exists()
