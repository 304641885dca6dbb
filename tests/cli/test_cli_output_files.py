"""Files that are written: never one that is read, and what is said where there is no room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli_run import volact

from volact.cli.sinks import parse_reports
from volact.errors import InputError


def test_a_report_never_takes_the_place_of_a_file_that_is_read(tmp_path: Path) -> None:
    fleet, link = tmp_path / "fleet.csv", tmp_path / "link.csv"
    fleet.write_text("name,address\n")
    link.symlink_to(fleet)
    for name in (fleet, link):
        with pytest.raises(InputError, match=r"is read by this command, and would be overwritten"):
            parse_reports([f"csv={name}"], ["", str(fleet)])
    assert parse_reports([f"csv={tmp_path}/report.csv"], ["", str(fleet)])


@pytest.mark.parametrize(
    "line",
    [
        "check -i {fleet} --report csv={fleet}",
        "activate -i {fleet} --yes --report html={fleet}",
        "check ssh://10.0.0.5 --key-file {fleet} --report html={fleet}",
        "check ssh://10.0.0.5 --known-hosts {fleet} --report html={fleet}",
        "check ssh://10.0.0.5 --tencent-credentials {fleet} --report html={fleet}",
        "read-answer {fleet} --provider tencent --report html={fleet}",
        "export --store {fleet} --to {fleet}",
    ],
)
def test_no_verb_overwrites_what_it_reads(tmp_path: Path, line: str) -> None:
    fleet = tmp_path / "fleet"
    fleet.write_text("name,address\nweb-01,ssh://127.0.0.1:9\n")
    done = volact(*line.format(fleet=fleet).split())
    assert (done.returncode, done.stdout) == (2, "")
    assert fleet.read_text().startswith("name,")


def test_a_dash_is_no_file_for_a_report() -> None:
    done = volact("check", "ssh://127.0.0.1:9", "--no-store", "--report", "json=-")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "volact: -: is not the name of a file (standard output is /dev/stdout)\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
@pytest.mark.parametrize("words", [["--version"], ["--help"], ["explain"]])
def test_every_word_of_volact_on_a_full_disk_ends_in_one_line(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "volact", *words],
            stdout=full, stderr=subprocess.PIPE, check=False, text=True,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "volact: No space left on device (free some disk space, then try again)\n"
