"""The harness itself: it notices every kind of wrong answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_file import BadCaseError, Case, Expect, load_cases, read_file
from case_server import clock_of, facts_of
from case_words import host_port, offset_s, seconds
from judging import Answer, Judged, judge
from msgspec.structs import replace
from scoring import score, table

CASES = {case.name: case for case in load_cases()}
CLOCK = CASES["five hours behind"]


def judged(case: Case = CLOCK, **changes: tuple[str, ...]) -> Judged:
    """A case with its right answer, and changes to that answer."""
    right = Answer(
        errors=case.expect.errors,
        warnings=case.expect.warnings,
        infos=case.expect.infos,
        plan=case.expect.plan,
        refusals=case.expect.refusals or (),
    )
    return Judged(case=case, answer=replace(right, **changes))


def test_a_right_answer_meets_the_bar() -> None:
    found = score([judged()])
    assert found.failures() == []
    assert found.confusion == ()


def test_an_error_that_is_not_found_fails() -> None:
    found = score([judged(errors=("not-licensed",))])
    assert "recall on errors" in found.failures()[0]
    assert found.confusion == ("clock: five hours behind: missing error clock-skew",)


def test_an_error_said_as_a_warning_fails() -> None:
    found = score([judged(errors=("not-licensed",), warnings=("clock-skew",))])
    assert found.error_recall < 1
    assert found.confusion[1].endswith("extra warning clock-skew")


def test_false_accusations_fail() -> None:
    found = score([judged(errors=("clock-skew", "not-licensed", "kms-host-wrong"))])
    assert found.precision < 0.98
    assert any("precision" in line for line in found.failures())


def test_an_information_that_was_forbidden_fails() -> None:
    case = replace(CLOCK, expect=replace(CLOCK.expect, never=("rearm-exhausted",)))
    assert judged(case, infos=("rearm-exhausted",)).extra() == [("info", "rearm-exhausted")]
    assert judged(CLOCK, infos=("rearm-exhausted",)).extra() == []


def test_an_information_that_is_missing_fails() -> None:
    case = CASES["no rearm left"]
    assert judged(case, infos=()).missing() == [("info", "rearm-exhausted")]


@pytest.mark.parametrize(
    "plan",
    [
        (),
        ("activate",),
        ("sync-clock", "set-time-source ntpupdate.tencentyun.com", "activate"),
        ("set-time-source time.windows.com", "sync-clock", "activate"),
        ("set-time-source ntpupdate.tencentyun.com", "sync-clock raise-limits", "activate"),
    ],
)
def test_another_plan_fails(plan: tuple[str, ...]) -> None:
    found = score([judged(plan=plan)])
    assert found.failures() == ["1 plans are not the expected ones"]


def test_other_refusals_fail() -> None:
    case = CASES["a member, five hours off"]
    assert judged(case, refusals=()).wrong_refusals()
    assert score([judged(case, refusals=())]).plans_right == 0


def test_an_unsafe_plan_fails() -> None:
    found = score([judged(breaches=("set-time-source with domain role 3",))])
    assert found.failures() == ["1 unsafe plans"]
    assert "unsafe: set-time-source with domain role 3" in table(found)


def test_the_table_counts_by_finding() -> None:
    found = score([judged(), judged(errors=("not-licensed",))])
    rows = {row.id: row for row in found.rows}
    assert (rows["clock-skew"].expected, rows["clock-skew"].right) == (2, 1)
    assert rows["clock-skew"].recall == 0.5
    assert rows["not-licensed"].precision == 1.0


def test_a_case_with_a_wrong_expectation_is_noticed() -> None:
    wrong = Expect(errors=("not-licensed",), plan=("activate",))
    complaints = judge(replace(CLOCK, expect=wrong)).complaints()
    assert complaints[0] == "clock: five hours behind: extra error clock-skew"
    assert "expected [activate], got [set-time-source" in complaints[1]


# --- the case files ---------------------------------------------------------------

GOOD = """
theme = "A theme"
[[case]]
name = "one"
story = "A reason in five words at least."
expect.plan = []
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_case_needs_a_name_a_story_and_a_plan(tmp_path: Path) -> None:
    (case,) = read_file(write(tmp_path, GOOD))
    assert (case.name, case.theme, case.expect.plan) == ("one", "mine", ())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('kmz = "none"\n', "'one'"),
        ('kmz = "none"\n', "unknown field `kmz`"),
        ('role = "boss"\n', "Invalid enum value 'boss'"),
        ('lab = ["licensed"]\n', "needs expect.verdict"),
        ('expect.errors = ["a"]\nexpect.not = ["a"]\n', "wanted and forbidden: a"),
        ("[[case\n", "mine.toml"),
    ],
)
def test_a_case_that_cannot_be_read_is_named(tmp_path: Path, change: str, said: str) -> None:
    with pytest.raises(BadCaseError, match="mine") as caught:
        read_file(write(tmp_path, GOOD + change))
    assert said in str(caught.value)


def test_a_case_without_a_reason_is_refused(tmp_path: Path) -> None:
    text = GOOD.replace("A reason in five words at least.", "Because.")
    with pytest.raises(BadCaseError, match="must say why"):
        read_file(write(tmp_path, text))


def test_durations_and_hosts_are_read() -> None:
    assert seconds("3 h 59 min") == 14_340
    assert (offset_s("right"), offset_s("5 h ahead"), offset_s("3 d behind")) == (
        0,
        18_000,
        -259_200,
    )
    assert host_port("[2001:db8::1]:1689") == ("2001:db8::1", 1689)
    assert host_port("2001:db8::1") == ("2001:db8::1", None)
    assert host_port("kms:1668") == ("kms", 1668)
    with pytest.raises(ValueError, match="no duration"):
        seconds("five hours")
    with pytest.raises(ValueError, match="neither"):
        offset_s("5 h")


# --- what a case means ---------------------------------------------------------------


def case(**changes: object) -> Case:
    return replace(CLOCK, clock="right", status="licensed", **changes)


def test_facts_can_be_changed_taken_away_and_made_unreadable() -> None:
    raw = facts_of(
        case(
            facts={
                "time": {"rtu": 1, "zone": "absent", "client": "not asked"},
                "products": {"!": 5},
                "os": {"build": {"!": 7}},
            }
        )
    )
    assert (raw["time"]["rtu"], raw["time"]["zone"]) == (1, None)
    assert "client" not in raw["time"]
    assert (raw["products"], raw["os"]["build"]) == ({"!": 5}, {"!": 7})


def test_product_properties_can_be_changed_taken_away_and_made_unreadable() -> None:
    changes = {"LicenseStatus": 6, "Name": "absent", "Description": {"!": 9}}
    (product,) = facts_of(case(product=changes))["products"]
    assert product["LicenseStatus"] == 6
    assert "Name" not in product
    assert product["!"] == {"Description": 9}


def test_an_unreadable_property_joins_those_that_2008_lacks() -> None:
    raw = facts_of(case(release="2008", product={"LicenseStatus": {"!": 9}}))
    missing = raw["products"][0]["!"]
    assert missing["LicenseStatus"] == 9
    assert missing["ProductKeyChannel"] == 0x80041017


def test_an_answer_can_hold_a_single_group() -> None:
    assert set(facts_of(case(only=("wsh",)))) == {"wsh"}


def test_a_slow_answer_surrounds_the_moment_of_the_clock() -> None:
    clock = clock_of(case(answer_took="40 min", volact_clock="6 h behind"))
    assert clock.answered - clock.asked == 2400
    now = facts_of(case())["time"]["utc"] / 1000
    assert (clock.asked + clock.answered) / 2 == now - 6 * 3600


def test_short_names_of_hosts_stand_for_the_providers() -> None:
    raw = facts_of(case(reach={"kms1": "refused"}))
    assert raw["reach"]["kms1.tencentyun.com:1688"] == 0x80072EFD
    assert raw["reach"]["kms.tencentyun.com:1688"] == 0x80072F78
