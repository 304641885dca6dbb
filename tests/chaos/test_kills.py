"""volact killed in the middle of a rollout, and run again: the quick form of ``kill_run``."""

from __future__ import annotations

import pytest
from kill_run import run, table


@pytest.mark.xdist_group("chaos")
def test_killed_rollouts_leave_records_and_converge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOLACT_STORE")
    kills = run(4, 8, 1, lambda _: None)
    assert [line for kill in kills for line in kill.wrong] == []
    assert all(kill.kept for kill in kills if kill.aim != "at any time")
    assert sum(kill.intents for kill in kills) > 0
    assert "| **all** | 4 |" in table(kills)
