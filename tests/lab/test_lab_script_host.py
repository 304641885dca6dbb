"""Servers on which no script runs, over the real transports: each names its cause and a command."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from lab_world import Place, handed_out

from volact.fleet import Control, run_fleet
from volact.inventory import Secrets, load_inventory
from volact.model.report import ServerReport
from volact.pipeline import Job
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact_lab.faults import FAULTS
from volact_lab.faults.script_host import FAULTS as HERE
from volact_lab.lab import Lab
from volact_lab.windows.spec import Spec


class Named(NamedTuple):
    """What must be said of a fault in one of its forms, and typed."""

    fault: str
    said: str
    typed: str
    form: int = 0


NAMED = (
    Named("script-objects", "the object WScript.Shell cannot be made", "wshom.ocx"),
    Named("script-objects", "the object Scripting.FileSystemObject cannot", "scrrun.dll", 1),
    Named("engine-missing", "JScript is not registered", "regsvr32 /s %SystemRoot%"),
    Named("engine-denied", "the permissions of jscript.dll", "jscript.dll /remove:d *S-1-1-0"),
    Named("cscript-denied", "the permissions of cscript.exe", "cscript.exe /remove:d *S-1-1-0"),
    Named("cscript-missing", "cscript.exe is missing", "sfc /scannow"),
    Named("script-enforcement", "App Control or AppLocker", "wevtutil qe"),
    Named("antivirus-script", "removed before it ran", "Get-MpThreatDetection"),
    Named("antivirus-file", "the agent never answered; it printed", "Get-MpThreatDetection"),
    Named("shell-swallows", "shell that does not run the command", "DefaultShellCommandOption"),
)
ONLY_SSH = ("shell-swallows", "shell-unicode")


def spec(number: int, fault: str, transport: str, form: int = 0) -> Spec:
    return Spec(
        f"web-{number:02d}",
        index=number,
        seed=3,
        release="2012 R2" if number % 2 else "2022",
        language=("en", "zh", "de", "ja")[number % 4],
        faults=(fault,),
        transport=transport,
        forms=((fault, form), ("kms-manner", 0)),
    )


async def reports(lab: Lab, path: Path, mode: str) -> dict[str, ServerReport]:
    lab.write_inventory(path)
    inventory = load_inventory(path)
    job = Job(mode=mode, images=inventory.images)  # type: ignore[arg-type]
    stream = run_fleet(
        inventory.servers,
        make_opener(Secrets(), SshOptions(connect_s=300)),
        job,
        Control(concurrency=8),
    )
    return {report.name: report async for report in stream}


def test_every_fault_of_this_kind_is_named() -> None:
    assert {named.fault for named in NAMED} | {"shell-unicode"} == {fault.id for fault in HERE}


@pytest.mark.parametrize("transport", ["ssh", "winrm", "tat"])
async def test_no_failure_ends_without_a_cause(transport: str, tmp_path: Path) -> None:
    rows = [row for row in NAMED if transport == "ssh" or row.fault not in ONLY_SSH]
    specs = tuple(spec(n, row.fault, transport, row.form) for n, row in enumerate(rows))
    async with Lab("healthy", specs, 3, patience=0.0) as lab:
        found = await reports(lab, tmp_path / "lab.toml", "check")
    for one, row in zip(specs, rows, strict=True):
        error = found[one.name].error
        assert error is not None, row
        assert (error.kind, found[one.name].verdict) == ("agent", FAULTS[row.fault].ends(one))
        assert row.said in error.message, error.message
        assert row.typed in error.message, error.message
    assert lab.errors == []


@pytest.mark.parametrize("fault", ["shell-unicode", "wsh-disabled"])
async def test_a_shell_that_prints_utf_16_hides_nothing(fault: str, tmp_path: Path) -> None:
    one = spec(1, fault, "ssh")
    async with Lab("healthy", (one,), 3, patience=0.0) as lab:
        lab.machine(one.name).shell = "cmd-u"
        found = (await reports(lab, tmp_path / "lab.toml", "activate"))[one.name]
    assert found.error is None
    assert found.verdict == ("healthy" if fault == "shell-unicode" else "attention")
    assert ("wsh-disabled" in {finding.id for finding in found.findings}) == (
        fault == "wsh-disabled"
    )


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_fleet_without_scripts_is_judged_as_the_lab_says(seed: int, tmp_path: Path) -> None:
    async with Lab("blocked", 24, seed, patience=0.0) as lab:
        found = await reports(lab, tmp_path / "lab.toml", "activate")
        assert lab.errors == []
    for name, truth in lab.truth.items():
        row = found[name]
        assert (row.verdict, row.error and row.error.kind) == (truth.verdict, truth.error), truth
        assert set(truth.findings) <= {finding.id for finding in row.findings}


BY_HAND = [row for row in NAMED if row.fault not in (*ONLY_SSH, "antivirus-file")]


@pytest.mark.parametrize("row", BY_HAND)
async def test_a_person_reads_the_command_too(here: Place, row: Named) -> None:
    machine = here.machine(row.fault, forms=((row.fault, row.form),))
    result = await handed_out(machine)
    printed = result.stdout.decode("ascii")
    assert result.exit_code == 1
    assert "NOT ACTIVATED: cscript.exe could not run this file" in printed
    assert row.typed.replace("%SystemRoot%", "C:\\Windows") in printed
    assert here.errors == []


async def test_what_cscript_itself_says_is_kept(tmp_path: Path) -> None:
    one = spec(0, "engine-missing", "ssh")
    async with Lab("healthy", (one,), 3, patience=0.0) as lab:
        error = (await reports(lab, tmp_path / "lab.toml", "check"))[one.name].error
    assert error is not None
    assert 'Windows said: CScript Error: Can\'t find script engine "JScript"' in error.message
