"""Ctrl-C while servers hang at every stage of a visit: rows, records and servers stay right."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fault_cases import Case, cases

from volact_lab.fleet import fleet
from volact_lab.inspection import licensed
from volact_lab.lab import Lab
from volact_lab.scenario import load_scenario

SEED = 1
# After the last stage everything was said, and a visit over WinRM has five requests at least:
# nothing is sure to be left to hang there.
HANGS = [
    case
    for case in cases(SEED)
    if case.act == "hang" and case.stage != "close" and (case.way == "ssh" or case.skip < 5)
]
WORDS = ("-i", "lab.toml", "--no-progress", "-o", "json", "--concurrency", "90")


async def started(folder: Path, verb: str, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "volact", verb, *WORDS, *words),
        cwd=folder,
        env={**os.environ, "VOLACT_STORE": str(folder / "store.db")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )


def rows_of(out: bytes) -> dict[str, Any]:
    return {row["name"]: row for row in json.loads(out)["servers"]}


def troubled(lab: Lab, chosen: list[Case]) -> dict[str, Case]:
    """Each server hangs in its own way."""
    own = dict(zip(lab.slots, chosen, strict=True))
    for name, case in own.items():
        gate = lab.slots[name].gate
        assert gate is not None
        gate.trouble = case.trouble()
    return own


async def struck(lab: Lab) -> None:
    """Wait until every server hangs."""
    while not all(gate.trouble and gate.trouble.struck for gate in lab.gates):
        await asyncio.sleep(0.02)


@pytest.mark.xdist_group("chaos")
@pytest.mark.parametrize(("verb", "signals"), [("check", 1), ("activate", 2)])
async def test_an_interrupt_at_every_stage(tmp_path: Path, verb: str, signals: int) -> None:
    chosen = [case for case in HANGS if verb == "activate" or case.phase == "probe"]
    drawn = fleet(load_scenario("healthy"), len(chosen), SEED)
    specs = tuple(
        replace(
            spec,
            faults=("kms-host-wrong",) if case.phase == "repair" else ("licensed",),
            transport=case.way,
            shell="cmd",
        )
        for spec, case in zip(drawn, chosen, strict=True)
    )
    consent = ("--yes",) if verb == "activate" else ()
    async with Lab("healthy", specs, SEED, gated=True, workers=64) as lab:
        lab.write_inventory(tmp_path / "lab.toml")
        own = troubled(lab, chosen)
        limits = ("--deadline", "300", "--connect-timeout", "200")
        process = await started(tmp_path, verb, *consent, *limits)
        await struck(lab)
        assert process.stderr is not None
        told = b""
        for number in range(signals):
            process.send_signal(signal.SIGINT)
            while number + 1 < signals and b"again" not in told:
                told += await process.stderr.readline()
        out, err = await process.communicate()
        assert process.returncode == 130
        assert b"Traceback" not in told + err
        rows = rows_of(out)
        assert rows.keys() == own.keys()
        for name, case in own.items():
            row = rows[name]
            if row["verdict"] == "healthy":
                assert licensed(lab.machine(name)), case.name
                assert "healthy" in case.kinds, case.name
            else:
                assert "interrupted" in row["error"]["message"], case.name
        for gate in lab.gates:
            gate.trouble = None
        for service in lab.winrm.services.values():
            await service.stop()
        again = await started(tmp_path, "activate", "--yes", *limits)
        out, err = await again.communicate()
        assert again.returncode == 0, err.decode()
        assert {row["verdict"] for row in rows_of(out).values()} == {"healthy"}
        assert all(licensed(lab.machine(name)) for name in own)
