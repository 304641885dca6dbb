"""Scenarios and fleets: the same three values, the same servers."""

from __future__ import annotations

import pytest

from volact.errors import DataError, InputError
from volact_lab.faults import FAULTS
from volact_lab.fleet import fleet
from volact_lab.lab import Lab
from volact_lab.scenario import load_scenario, read_scenario, scenario_names
from volact_lab.truth import truth_of
from volact_lab.windows.releases import RELEASES

GOOD = (
    'title = "t"\nfaults = [{ kind = "licensed" }]\n[releases]\n"2016" = 1\n[languages]\nen = 1\n'
)


def test_every_scenario_can_be_read() -> None:
    assert {"tencent", "healthy", "simple"} <= set(scenario_names())
    for name in scenario_names():
        scenario = load_scenario(name)
        assert scenario.name == name
        assert scenario.title


def test_an_unknown_scenario_names_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        load_scenario("tencnt")
    assert "did you mean tencent" in caught.value.line()
    assert "healthy" in caught.value.line()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("licensed", "nonsense", "unknown fault 'nonsense'"),
        ("2016", "2003", "unknown release '2003'"),
        ("en = 1", "xx = 1", "unknown language 'xx'"),
        ("title", "titel", "titel"),
        ("en = 1", "", "no language is named"),
    ],
)
def test_a_scenario_with_a_mistake_is_refused(old: str, new: str, said: str) -> None:
    assert read_scenario("x", GOOD).faults
    with pytest.raises(DataError) as caught:
        read_scenario("x", GOOD.replace(old, new))
    assert said in caught.value.line()
    assert "scenarios/x.toml" in caught.value.line()


def test_the_same_seed_gives_the_same_fleet_and_another_gives_another() -> None:
    scenario = load_scenario("tencent")
    assert fleet(scenario, 60, 7) == fleet(scenario, 60, 7)
    assert fleet(scenario, 60, 7) != fleet(scenario, 60, 8)


@pytest.mark.parametrize("seed", range(5))
def test_sixty_servers_show_everything(seed: int) -> None:
    scenario = load_scenario("tencent")
    specs = fleet(scenario, 60, seed)
    assert {fault for spec in specs for fault in spec.faults} == {
        share.kind for share in scenario.faults
    }
    assert {spec.release for spec in specs} == set(RELEASES)
    assert {spec.language for spec in specs} == {"en", "zh", "id", "ja", "de"}
    assert {spec.shell for spec in specs} == {"cmd", "powershell", "bash"}
    assert any(spec.user != "Administrator" for spec in specs)
    assert len({spec.name for spec in specs}) == 60
    healthy = [spec for spec in specs if truth_of(spec).verdict == "healthy"]
    assert len(healthy) > 30


def test_a_small_fleet_takes_the_first_faults_of_the_scenario() -> None:
    scenario = load_scenario("tencent")
    specs = fleet(scenario, 4, 1)
    first = [share.kind for share in scenario.faults][:4]
    assert [spec.faults[0] for spec in specs] == first


def test_a_fleet_has_at_least_one_server() -> None:
    with pytest.raises(InputError):
        fleet(load_scenario("healthy"), 0, 1)


def test_the_scenario_of_simple_faults_ends_healthy() -> None:
    for spec in fleet(load_scenario("simple"), 200, 3):
        assert truth_of(spec).verdict == "healthy"
        assert truth_of(spec).error is None


def test_a_fault_that_needs_a_release_gets_it() -> None:
    for spec in fleet(load_scenario("tencent"), 300, 2):
        assert spec.release in FAULTS[spec.faults[0]].releases


def test_truth_is_known_before_anything_starts() -> None:
    lab = Lab("tencent", 60, 7)
    assert len(lab.truth) == 60
    unreachable = {t.faults[0]: t.error for t in lab.truth.values() if t.verdict == "unreachable"}
    assert unreachable == {
        "auth": "auth",
        "host-key": "host-key-changed",
        "refused": "connect",
        "hang": "timeout",
        "truncated": "protocol",
        "garbled": "protocol",
    }
    assert all(slot.built is None for slot in lab.slots.values())
