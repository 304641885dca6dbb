"""Hostile peers cost their own row and nothing else: each run of ``make chaos`` once."""

from __future__ import annotations

import pytest
from endpoints_run import meet as meet_endpoints
from hostile_clouds import meet as meet_clouds
from hostile_clouds import table as clouds_table
from hostile_run import meet, table


@pytest.mark.xdist_group("chaos")
def test_peers_without_end_beside_healthy_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOLACT_STORE", raising=False)
    found = meet(1)
    assert found.wrong == []
    assert "6 healthy neighbours: 6 healthy" in table(found)


@pytest.mark.timeout(3600)
@pytest.mark.xdist_group("chaos")
def test_hostile_clouds_beside_good_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VOLACT_STORE", raising=False)
    found = meet_clouds(1, quick=True)
    assert found.wrong == []
    assert "APIs, in two runs: 8 healthy" in clouds_table(found)


@pytest.mark.timeout(3600)
@pytest.mark.xdist_group("chaos")
def test_endpoints_without_end_beside_good_ones() -> None:
    _, found, wrong = meet_endpoints(quick=True)
    assert wrong == []
    assert len(found) == 92
