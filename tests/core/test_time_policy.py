"""Group policy over the clock: what is not known of it, and where it leaves no time source."""

from __future__ import annotations

from typing import Any

import pytest
from judged import judged
from servers import MISSING, server, unreadable

HOURS = 5 * 3600


@pytest.mark.parametrize("limit", [MISSING, unreadable()])
@pytest.mark.parametrize("skew", [600, HOURS])
def test_a_limit_that_could_not_be_read_is_not_said_to_forbid(skew: int, limit: object) -> None:
    raw = server("2019", skew_s=skew, time__policy_neg=limit)
    seen = judged(raw)
    found = seen.found["clock-skew"]
    assert found.evidence["beyond_phase_limit"] is None
    assert "forbids" not in found.remedy
    assert "It is not known whether group policy allows" in found.remedy
    assert (found.repair, seen.steps) == ("manual", [])


def test_a_limit_that_forbids_is_said_to() -> None:
    found = judged(server("2019", skew_s=HOURS, time__policy_neg=3600)).found["clock-skew"]
    assert found.evidence["beyond_phase_limit"] is True
    assert "Group policy forbids" in found.remedy


@pytest.mark.parametrize(
    "policy",
    [
        {"time__policy_type": "NoSync"},
        {"time__policy_type": "NT5DS"},
        {"time__policy_type": "NTP", "time__policy_peers": ""},
        {"time__policy_peers": ""},
    ],
)
def test_a_policy_without_a_source_is_the_persons_affair(policy: dict[str, Any]) -> None:
    seen = judged(server("2019", licensed=False, skew_s=HOURS, **policy))
    for id in ("clock-skew", "time-source-missing"):
        assert seen.found[id].repair == "manual"
        assert "volact does not override group policy" in seen.found[id].remedy
        assert "Configure Windows NTP Client" in seen.found[id].remedy
    assert seen.steps == []


def test_a_policy_with_a_source_lets_the_clock_be_set() -> None:
    policy: dict[str, Any] = {"time__policy_type": "NTP", "time__policy_peers": "10.0.0.9,0x8"}
    seen = judged(server("2019", licensed=False, skew_s=HOURS, **policy))
    assert seen.steps == ["sync-clock", "activate"]


def test_without_a_policy_the_source_is_set() -> None:
    raw = server("2019", licensed=False, skew_s=HOURS, time__type="NoSync")
    seen = judged(raw)
    assert seen.steps == ["set-time-source", "sync-clock", "activate"]
    assert "group policy" not in seen.found["time-source-missing"].remedy


def test_the_time_servers_of_a_policy_that_could_not_be_read_stay() -> None:
    raw = server("2019", licensed=False, time__type="NoSync", time__policy_peers=unreadable())
    assert "set-time-source" not in judged(raw).steps


@pytest.mark.parametrize(
    "policy",
    [
        {"time__policy_pos": unreadable()},
        {"time__policy_pos": 3600},
        {"time__policy_type": "NT5DS"},
        {"time__policy_client": 0},
    ],
)
def test_what_is_left_to_a_person_also_enables_the_service_and_raises_the_own_limits(
    policy: dict[str, Any],
) -> None:
    raw = server("2019", skew_s=-60000, services__W32Time=["Stopped", "Disabled"], **policy)
    remedy = judged(raw).found["clock-skew"].remedy
    typed = (
        "sc config W32Time start= ",
        "net start W32Time",
        "w32tm /config /syncfromflags:manual /manualpeerlist:",
        "MaxPosPhaseCorrection /t REG_DWORD /d 0xFFFFFFFF",
        "w32tm /resync",
        "MaxPosPhaseCorrection /t REG_DWORD /d 54000",
    )
    places = [remedy.find(command) for command in typed]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("limit", [unreadable(), 3600])
def test_own_limits_that_allow_it_are_not_raised_by_hand_either(limit: object) -> None:
    raw = server("2019", skew_s=-HOURS, time__policy_pos=limit)
    remedy = judged(raw).found["clock-skew"].remedy
    assert "w32tm /resync" in remedy
    assert "0xFFFFFFFF" not in remedy
