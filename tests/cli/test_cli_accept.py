"""A fleet with states that can be lived with, over real SSH: exit codes, store, and the return."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_run import Done, volact
from lab_thread import lab_in_thread

from volact_lab.windows.spec import Spec

STATES = {"own-key": "licensed-by-own-key", "kms-role": "kms-host-role"}


def fleet() -> tuple[Spec, ...]:
    return tuple(
        Spec(fault, index=at, seed=1, release="2019", language="en", faults=(fault,))
        for at, fault in enumerate(STATES)
    )


def test_an_operator_lives_with_a_mak_and_a_kms_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOLACT_STORE", str(tmp_path / "volact.db"))
    inventory = tmp_path / "lab.toml"

    def check(*words: str) -> Done:
        return volact("check", "-i", str(inventory), "--no-progress", *words)

    with lab_in_thread("simple", fleet(), 1) as lab:
        lab.write_inventory(inventory)
        assert check().returncode == 3
        ignored = [word for id in STATES.values() for word in ("--ignore", f"{id}: agreed")]
        done = check(*ignored)
        assert done.returncode == 0, done.stdout
        assert "2 servers: 2 healthy" in done.stdout
        assert "accepted: " in done.stdout
        past = [word for id in STATES.values() for word in ("--ignore", f"{id} until 2020-01-01")]
        done = check(*past)
        assert done.returncode == 3
        over = "is without effect: its last day, 2020-01-01, has passed"
        assert all(f"--ignore {id} {over}" in done.stderr for id in STATES.values())

        text = inventory.read_text("utf-8")
        expect = f"expect = {json.dumps([f'{id} until 2099-12-31' for id in STATES.values()])}"
        assert text.count("[defaults]") == 1
        inventory.write_text(text.replace("[defaults]", f"[defaults]\n{expect}"), "utf-8")
        done = check("-o", "json")
        assert done.returncode == 0
        row = next(r for r in json.loads(done.stdout)["servers"] if r["name"] == "own-key")
        (marked,) = [finding for finding in row["findings"] if finding["severity"] == "accepted"]
        assert marked["accepted"] == {"severity": "info", "reason": "", "until": "2099-12-31"}

        bundled = tmp_path / "bundle.json"
        volact("bundle", "-i", str(inventory), "--to", str(bundled))
        judged = {s["judged"]["verdict"] for s in json.loads(bundled.read_text())["servers"]}
        assert judged == {"attention"}
        assert volact("replay", str(bundled)).returncode == 0

        history = volact("history", "own-key", "-o", "jsonl")
        verdicts = [json.loads(line).get("verdict") for line in history.stdout.splitlines()]
        assert verdicts[:4] == ["healthy", "attention", "healthy", "attention"]
        status = volact("status").stdout
        assert status.count("HEALTHY") == 1
        assert "accepted: kms-host-role 1, licensed-by-own-key 1" in status


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("mak-licensed", "--ignore: no such finding: 'mak-licensed'"),
        ("clock-skew until then", "--ignore: until then is not a day"),
    ],
)
def test_an_acceptance_that_cannot_be_read_is_one_line(word: str, said: str) -> None:
    done = volact("check", "ssh://10.0.0.1", "--ignore", word)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
