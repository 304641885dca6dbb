"""The bar: what volact reports about every case, and what the cases cover."""

from __future__ import annotations

import pytest
from case_file import Case, label, load_cases
from case_words import BUILDS, LANGUAGES
from judging import judge
from scoring import score

from volact.core.findings import BY_ID

CASES = load_cases()
# No answer of one server shows these; tests/core has their examples.
WITHOUT_RULE = {"duplicate-cmid", "rule-failed"}


@pytest.mark.parametrize("case", CASES, ids=label)
def test_the_answer_is_the_expected_one(case: Case) -> None:
    assert judge(case).complaints() == []


def test_the_bar_is_met() -> None:
    found = score(judge(case) for case in CASES)
    assert found.failures() == []
    assert found.error_recall == 1.0
    assert found.precision > 0.98
    assert found.unsafe == 0


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 200
    assert sum(bool(case.lab) for case in CASES) >= 60


def test_no_two_cases_have_one_name() -> None:
    names = [label(case) for case in CASES]
    assert len(set(names)) == len(names)


def test_every_finding_has_a_case() -> None:
    expected = {
        id
        for case in CASES
        for id in (*case.expect.errors, *case.expect.warnings, *case.expect.infos)
    }
    assert set(BY_ID) - WITHOUT_RULE - expected == set()


def test_no_case_speaks_of_a_finding_that_does_not_exist() -> None:
    named = {
        id
        for case in CASES
        for id in (
            *case.expect.errors,
            *case.expect.warnings,
            *case.expect.infos,
            *case.expect.never,
        )
    }
    assert named - set(BY_ID) == set()


def test_releases_languages_roles_and_channels_are_covered() -> None:
    servers = {"2008", "2008 R2", "2012", "2012 R2", "2016", "2019", "2022", "2025", "1809", "23H2"}
    assert servers <= {case.release for case in CASES} <= set(BUILDS)
    assert {case.language for case in CASES} >= {"en", "zh", "id", "ja", "de"}
    assert {case.language for case in CASES} <= set(LANGUAGES)
    assert {case.role for case in CASES} == {"workgroup", "member", "controller"}
    assert {case.key for case in CASES} >= {"client", "retail", "mak", "kms-host", "avma", "none"}


def test_faults_occur_alone_in_twos_and_in_threes() -> None:
    counts = {len(set(case.expect.errors) - {"not-licensed"}) for case in CASES}
    assert counts >= {0, 1, 2, 3}


def test_the_healthy_are_a_good_part_of_all() -> None:
    quiet = [case for case in CASES if not (case.expect.errors or case.expect.warnings)]
    assert len(quiet) >= 60
    assert all(case.expect.plan == () for case in quiet)
