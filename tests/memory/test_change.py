"""Two examinations of one server: what is better, what is worse, and what is unknown."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_samples import attention, failed, healthy, licensed, not_begun, unreachable
from report_samples import COUNT, DNS, POLICY, RETAIL, SKEW

from volact.core.change import ChangeKind, ServerChange, Snapshot, compare
from volact.model.report import ServerReport

MIRROR: dict[ChangeKind, ChangeKind] = {
    "worse": "better", "better": "worse", "lost": "regained", "regained": "lost",
    "gone": "new", "new": "gone", "changed": "changed", "same": "same",
}  # fmt: skip

LICENCE = ("status", "channel", "partial_key", "kms_host", "expires")
FINDINGS = {"errors": "error", "warnings": "warning", "notes": "info", "accepted": "accepted"}
REPORTS = st.builds(
    lambda row, findings, status, host: msgspec.structs.replace(
        row,
        findings=tuple(findings),
        license=msgspec.structs.replace(row.license, status=status, kms_host=host),
    ),
    st.sampled_from([healthy(), attention(), failed(), unreachable(), not_begun("x")]),
    st.lists(st.sampled_from([SKEW, POLICY, COUNT, RETAIL, DNS]), max_size=3),
    st.sampled_from([None, "licensed", "notification"]),
    st.sampled_from([None, "a:1688", "b:1688"]),
)


def snapshot(report: ServerReport) -> Snapshot | None:
    """A row as the store's columns give it to be compared."""
    if report.verdict == "not-started":
        return None
    error = report.error.kind if report.error else None
    given = Snapshot(
        address=report.address, verdict=report.verdict, provider=report.provider, error=error
    )
    if not report.examined:
        return given
    return msgspec.structs.replace(
        given,
        release=report.os.release,
        edition=report.os.edition,
        **{name: getattr(report.license, name) for name in LICENCE},
        **{field: ids(report, severity) for field, severity in FINDINGS.items()},
    )


def ids(report: ServerReport, severity: str) -> tuple[str, ...]:
    found = (finding.id for finding in report.findings if finding.severity == severity)
    return tuple(dict.fromkeys(found))


def change(before: ServerReport, after: ServerReport) -> ServerChange:
    return compare(snapshot(before), snapshot(after))


@given(REPORTS)
def test_a_look_is_the_same_as_itself(report: ServerReport) -> None:
    found = change(report, report)
    assert found.kind == "same"
    assert not (found.appeared or found.resolved or found.fields)


@given(REPORTS, REPORTS)
def test_the_other_way_round_everything_is_mirrored(a: ServerReport, b: ServerReport) -> None:
    there, back = change(a, b), change(b, a)
    assert back.kind == MIRROR[there.kind]
    assert (back.appeared, back.resolved) == (there.resolved, there.appeared)
    assert back.fields == there.fields


@given(REPORTS, REPORTS)
def test_what_was_not_seen_got_neither_better_nor_worse(a: ServerReport, b: ServerReport) -> None:
    found = change(a, b)
    if not (a.examined and b.examined):
        assert found.kind not in ("better", "worse")
        assert not (found.appeared or found.resolved or found.fields)


@given(REPORTS, REPORTS)
def test_what_is_the_same_differs_in_nothing(a: ServerReport, b: ServerReport) -> None:
    found = change(a, b)
    if found.kind == "same" and a.examined:
        assert {f.id for f in a.findings} == {f.id for f in b.findings}
        assert a.license.kms_host == b.license.kms_host


def findings(row: ServerReport, *found: Any) -> ServerReport:
    return msgspec.structs.replace(row, findings=found)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (healthy(), attention(), "worse"),
        (attention(), healthy(), "better"),
        (healthy(), unreachable(), "lost"),
        (unreachable(), healthy(), "regained"),
        (healthy(), not_begun("x"), "gone"),
        (not_begun("x"), healthy(), "new"),
        (unreachable(), unreachable("other"), "same"),
        (findings(attention(), SKEW), findings(attention(), SKEW, COUNT), "worse"),
        (findings(attention(), SKEW, COUNT), findings(attention(), SKEW), "better"),
        (findings(attention(), SKEW), findings(attention(), COUNT), "changed"),
        (findings(attention(), SKEW), findings(attention(), SKEW, DNS), "changed"),
        (licensed("a", 100), licensed("a", 170), "same"),  # renewed
        (licensed("a", 100), licensed("a", 100, host="kms.other.example:1688"), "changed"),
    ],
)
def test_kinds(before: ServerReport, after: ServerReport, kind: ChangeKind) -> None:
    assert change(before, after).kind == kind


def test_a_licence_that_could_not_be_read_is_not_a_lost_one() -> None:
    row = attention()
    unread = msgspec.structs.replace(row.license, status=None)
    found = change(
        msgspec.structs.replace(
            row, license=msgspec.structs.replace(row.license, status="licensed")
        ),
        msgspec.structs.replace(row, license=unread),
    )
    assert found.kind == "changed"
    assert found.fields == ("status",)


def test_what_is_known_of_an_unreachable_server_is_not_taken_for_seen() -> None:
    """A row that was lost after the first probe still holds what that probe found."""
    lost = msgspec.structs.replace(attention(), verdict="unreachable", error=unreachable().error)
    seen = snapshot(lost)
    assert seen is not None
    assert (seen.status, seen.kms_host, seen.findings) == (None, None, set())
