"""The verbs that need no server: explain, script, providers check."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from cli_run import volact

SPELLINGS = ["0xC004F074", "0xc004f074", "C004F074", "-1073418124", "3221549172"]


@pytest.mark.parametrize("code", SPELLINGS)
def test_one_code_in_every_spelling(code: str) -> None:
    done = volact("explain", code)
    assert done.returncode == 0
    assert done.stdout == volact("explain", "SL_E_VL_BINDING_SERVICE_UNAVAILABLE").stdout
    assert done.stdout.startswith("0xC004F074  SL_E_VL_BINDING_SERVICE_UNAVAILABLE")
    assert "Causes" in done.stdout
    assert "What to do" in done.stdout


@pytest.mark.parametrize(
    "args", [["--output", "json", "-1073418124"], ["-1073418124", "--output", "json"]]
)
def test_negative_numbers_stand_anywhere(args: list[str]) -> None:
    assert json.loads(volact("explain", *args).stdout)["name"] == "0xC004F074"


@pytest.mark.parametrize(
    "text", ["-1073418124 (0xC004F074)", "-1073418124,", "-1073418124：无法激活"]
)
def test_a_text_may_begin_with_a_negative_number(text: str) -> None:
    assert volact("explain", text).stdout.startswith("0xC004F074  ")
    assert json.loads(volact("explain", text, "-o", "json").stdout)["name"] == "0xC004F074"


def test_what_slmgr_would_do_is_explained_without_it_too() -> None:
    said = volact("explain", "0xC004F014").stdout
    assert "slmgr.vbs -ipk" in said
    assert "Without slmgr.vbs (not run on a Windows server yet)" in said
    (line,) = (line for line in said.splitlines() if line.startswith("  powershell "))
    assert "-MethodName InstallProductKey" in line
    assert "Without slmgr.vbs" not in volact("explain", "clock-skew").stdout


def test_a_finding_is_explained_with_its_page() -> None:
    done = volact("explain", "clock-skew")
    assert "docs/findings/clock-skew.md" in done.stdout


def test_near_misses_are_named() -> None:
    done = volact("explain", "clock-skw")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean clock-skew" in done.stderr


def test_a_wrong_option_of_explain_is_still_wrong() -> None:
    done = volact("explain", "--outptu", "json", "clock-skew")
    assert done.returncode == 2
    assert "no such option: --outptu" in done.stderr


def test_the_script_is_the_same_every_time_and_its_sum_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = volact("script", "--provider", "tencent")
    data = (tmp_path / "activate-win.bat").read_bytes()
    assert done.stdout == f"{hashlib.sha256(data).hexdigest()}  activate-win.bat\n"
    again = volact("script", "--provider", "tencent", "--to", "again.bat")
    assert again.returncode == 0
    assert (tmp_path / "again.bat").read_bytes() == data
    assert data.isascii()
    assert b"kms1.tencentyun.com:1688" in data
    assert b"1668" not in data


def test_the_script_overwrites_nothing_unasked(tmp_path: Path) -> None:
    file = tmp_path / "a.bat"
    file.write_text("mine")
    done = volact("script", "--provider", "tencent", "--to", str(file))
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert file.read_text() == "mine"
    assert volact("script", "--provider", "tencent", "--to", str(file), "--force").returncode == 0
    assert file.read_bytes().startswith(b"@set @v=0 /*")


def test_the_script_takes_a_kms_host_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "a.bat"
    volact("script", "--provider", "generic", "--kms-host", "kms.corp.example", "--to", str(file))
    assert b"kms.corp.example:1688" in file.read_bytes()


def test_a_script_without_a_cloud_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = volact("script")
    assert done.returncode == 2
    assert "--provider" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_provider_files_have_no_mistakes() -> None:
    done = volact("providers", "check")
    assert (done.returncode, done.stdout) == (0, "no mistakes in the provider files\n")


def test_the_former_name_of_to_still_writes_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "a.bat"
    done = volact("script", "--provider", "tencent", "-o", str(file))
    assert done.returncode == 0
    assert done.stderr == (
        "volact: -o FILE is now --to FILE; in every other verb -o is the output format\n"
    )
    assert file.exists()
