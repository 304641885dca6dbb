"""Profiles in a folder of the operator's own, which ``VOLACT_PROVIDERS`` names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from lab_thread import drawn_lab

PAGE = Path(__file__).resolve().parents[2] / "docs" / "providers.md"
# The example of the page, which is indented there.
CORP = textwrap.dedent(
    PAGE.read_text("utf-8").split("`corp.toml` in it:\n", 1)[1].split("\nThen ", 1)[0]
).lstrip()


def volact(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: profiles are read once in each."""
    return subprocess.run(
        [sys.executable, "-m", "volact", *args],
        env={**os.environ, "VOLACT_PROVIDERS": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_own_profile_is_a_provider_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "corp.toml").write_bytes(b"\xef\xbb\xbf" + CORP.replace("\n", "\r\n").encode())
    (tmp_path / "notes.txt").write_text("no profile")
    checked = volact(tmp_path, "providers", "check")
    assert (checked.returncode, checked.stdout) == (0, "no mistakes in the provider files\n")
    shown = json.loads(volact(tmp_path, "providers", "corp", "--output", "json").stdout)
    assert shown["title"] == "Example Corp"
    (tmp_path / "fleet").write_text(
        '[defaults]\nprovider = "corp"\n[[server]]\naddress = "ssh://10.0.0.5"\n'
    )
    listed = volact(tmp_path, "inventory", "check", "-i", str(tmp_path / "fleet"))
    assert "nothing wrong" in listed.stdout, listed.stderr
    script = tmp_path / "script.bat"
    assert volact(tmp_path, "script", "--provider", "corp", "--to", str(script)).returncode == 0
    assert "kms2.corp.example" in script.read_text("ascii")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("corp.toml", b"", "Object missing required field `name`"),
        ("corp.toml", CORP.encode("utf-16"), "is not UTF-8 text (save it as UTF-8)"),
        ("corp.toml", CORP.replace("hosts", "host").encode(), "unknown field `host`"),
        ("other.toml", CORP.encode(), "name: is 'corp', must be that of the file"),
        ("aws.toml", CORP.encode(), "volact has a provider aws itself"),
    ],
    ids=["empty", "UTF-16", "misspelt key", "another name", "a name that is taken"],
)
def test_a_file_that_is_none_is_told_in_one_line(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    done = volact(tmp_path, "providers")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"volact: {tmp_path / name}: ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_check_reports_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "corp.toml").write_bytes(CORP.encode("utf-16"))
    done = volact(tmp_path, "providers", "check")
    assert done.returncode == 1
    assert done.stdout.startswith(f"{tmp_path / 'corp.toml'}: file: is not UTF-8 text\n")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = volact(tmp_path / "missing", "providers")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"VOLACT_PROVIDERS={tmp_path / 'missing'}: " in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bundle_holds_nothing_of_an_own_profile(tmp_path: Path) -> None:
    (tmp_path / "corp.toml").write_text(CORP)
    file = tmp_path / "b.json"
    with drawn_lab("healthy", 1, 7) as inventory:
        asked = ("bundle", "-i", str(inventory), "--provider", "corp", "--to", str(file))
        done = volact(tmp_path, *asked)
    assert done.returncode == 0, done.stderr
    (server,) = json.loads(file.read_text())["servers"]
    assert (server["asked"]["provider"], server["judged"]["provider"]) == ("generic", "generic")
    assert len(server["asked"]["kms_hosts"]) == 2
    assert "corp" not in file.read_text().lower()
