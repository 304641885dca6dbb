"""What the digests make of the store's rows."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_samples import (
    NOW,
    OVERDUE,
    attention,
    channelled,
    failed,
    healthy,
    iso,
    latest,
    licensed,
    not_begun,
    stored,
    unreachable,
)
from memory_store import diff, expiring, kept, status_of, status_rows

from volact.model.report import ServerReport
from volact.model.undo import NotRestored, Undone, UndoRow
from volact.queries.history import history
from volact.store.values import StoredRow

MONTH = timedelta(days=30)


def test_a_licence_that_ran_out_since_it_was_seen_counts_as_expired() -> None:
    fleet = [latest(licensed("a", -1), days=-20)]
    (row,), made = status_rows(*fleet), status_of(*fleet)
    assert (row.verdict, row.ending, row.days_left, row.cause) == (
        "attention", "expired", -1, "not-licensed",
    )  # fmt: skip
    assert made.expired_since == 1
    assert (made.summary.healthy, made.summary.attention) == (0, 1)
    assert made.endings[0].servers == 1


def test_an_unreachable_server_is_known_by_its_last_good_look() -> None:
    fleet = [latest(unreachable("a"), before=stored(licensed("a", 40), days=-10))]
    (row,), made = status_rows(*fleet), status_of(*fleet)
    assert (row.verdict, row.cause, row.release) == ("unreachable", "error:auth", "2016")
    assert (row.days_left, row.examined, row.looked) == (40, kept(iso(-10)), kept(iso(0)))
    assert made.stale.names == ("a",)


def test_a_run_that_never_came_to_a_server_says_nothing_of_it() -> None:
    made = status_of(latest(not_begun("a"), before=stored(licensed("a", 40), days=-1)))
    assert made.summary.healthy == 1
    assert status_of(latest(not_begun("a"))).summary.not_started == 1


def test_the_histogram_counts_every_server_once() -> None:
    days = (-3, 0.5, 6.9, 7, 29, 30, 100, 150, 179)
    fleet = [latest(licensed(f"s{n}", day)) for n, day in enumerate(days)]
    fleet += [
        latest(channelled("mak", "VOLUME_MAK")),
        latest(attention("no")),
        latest(failed("no either")),
    ]
    fleet += [latest(unreachable("u"))]
    bars = status_of(*fleet).endings
    assert [each.servers for each in bars] == [1, 2, 2, 1, 1, 2, 1, 2, 1]
    assert sum(each.servers for each in bars) == len(fleet)


@given(st.lists(st.floats(-1000, 1000), max_size=30))
def test_counts_add_up(days: list[float]) -> None:
    made = status_of(
        *(latest(licensed(f"s{n}", day), days=-abs(day)) for n, day in enumerate(days))
    )
    total = len(days)
    assert sum(each.servers for each in made.endings) == total
    assert sum(each.servers for each in made.ages) == total
    for name in ("providers", "releases", "kms_hosts"):
        groups = getattr(made, name)
        assert sum(each.servers for each in groups) == total
        for each in groups:
            assert each.servers == each.healthy + each.attention + each.failed + each.unreachable


def test_groups_are_the_largest_first_and_name_what_is_not_known() -> None:
    made = status_of(latest(healthy("a")), latest(healthy("b")), latest(unreachable("c")))
    assert [(g.value, g.servers) for g in made.releases] == [("2016", 2), (None, 1)]


def test_the_longest_unseen_are_named_first_and_few() -> None:
    fleet = [latest(licensed(f"s{n:02}", 90), days=-8 - n) for n in range(30)]
    stale = status_of(*fleet, latest(healthy("fresh")), latest(unreachable("never"))).stale
    assert stale.servers == 31
    assert stale.names[:3] == ("never", "s29", "s28")
    assert len(stale.names) == 10


def test_ages() -> None:
    fleet = [latest(healthy(f"s{n}"), days=-age) for n, age in enumerate((0, 0.9, 1, 8, 40, 400))]
    ages = status_of(*fleet, latest(unreachable("u"))).ages
    assert [age.servers for age in ages] == [2, 1, 1, 1, 1, 1]


def test_what_servers_have_in_common_is_told() -> None:
    fleet = [latest(attention(f"s{n}")) for n in range(4)]
    assert status_of(*fleet).clusters[0].cause == "kms-host-set-by-policy"


def test_expiring_is_sorted_by_date_and_keeps_what_is_not_known_apart() -> None:
    found = expiring(
        [
            latest(licensed("later", 31)),
            latest(licensed("soon", 12)),
            latest(licensed("gone", -1)),
            latest(licensed("late", 100, OVERDUE)),
            latest(licensed("both", 3, OVERDUE)),
            latest(unreachable("never")),
            latest(channelled("unread", "VOLUME_KMSCLIENT")),
            latest(channelled("mak", "VOLUME_MAK")),
            latest(attention("without")),
        ],
        NOW,
        MONTH,
    )
    assert [(row.name, row.state, row.overdue) for row in found.servers] == [
        ("gone", "expired", False),
        ("both", "ends", True),
        ("soon", "ends", False),
        ("late", "overdue", True),
    ]
    assert [(row.name, row.why) for row in found.unknown] == [
        ("never", "never-examined"),
        ("unread", "no-end"),
    ]
    assert msgspec.structs.asdict(found.summary) == {
        "expired": 1, "ends": 2, "overdue": 1, "unknown": 2, "later": 1, "never": 1,
        "unlicensed": 1,
    }  # fmt: skip
    assert found.exit_code == 3


@pytest.mark.parametrize(
    ("fleet", "code"),
    [([licensed("a", 90)], 0), ([licensed("a", 29.9)], 3), ([unreachable("a")], 4), ([], 0)],
)
def test_expiring_says_it_by_its_exit_code(fleet: list[ServerReport], code: int) -> None:
    assert expiring([latest(row) for row in fleet], NOW, MONTH).exit_code == code


def test_an_unreachable_server_is_judged_by_its_last_good_look() -> None:
    row = latest(unreachable("a"), before=stored(licensed("a", 5), days=-100))
    found = expiring([row], NOW, MONTH)
    assert [(each.name, each.examined) for each in found.servers] == [("a", kept(iso(-100)))]


def looks(*reports: ServerReport) -> list[StoredRow]:
    """Newest first, a day apart."""
    return [stored(report, days=-n, run=f"r{n}") for n, report in enumerate(reports)]


def test_history_says_what_came_and_went() -> None:
    rows = looks(healthy(repaired=True), unreachable(), attention(), healthy())
    found = list(history(rows, {"r0": "activate", "r2": "check"}))
    assert [row.command for row in found] == ["activate", "", "check", ""]
    assert found[2].came == ("kms-host-set-by-policy", "dns-not-provider")
    assert found[2].said == "A group policy sets the KMS host"
    # The failed examination between shows nothing about findings.
    assert (found[1].came, found[1].went, found[1].status) == ((), (), None)
    assert found[1].error is not None
    assert found[0].went == (
        "kms-host-set-by-policy", "dns-not-provider", "clock-skew", "not-licensed",
    )  # fmt: skip
    assert found[0].steps[0].before == {"skew_s": 18000}
    assert found[0].steps[0].after == {"skew_s": 0}
    assert (found[3].came, found[3].went) == ((), ())


def test_history_counts_no_examination_where_none_was_made() -> None:
    taken_over = msgspec.structs.replace(healthy(), executions=0)
    found = list(history(looks(taken_over, healthy(), attention()), {}))
    assert [row.run for row in found] == ["r1", "r2"]


def test_history_says_what_was_put_back() -> None:
    undone = Undone(do="set-kms-host", what="kms-host", before="a", put="b")
    left = NotRestored(
        do="install-key", what="key", reason="a replaced key is nowhere", possible=False
    )
    row = UndoRow(run="r1", word="partly", undone=(undone,), left=(left,))
    looked, plain = history(looks(msgspec.structs.replace(healthy(), undo=row), healthy()), {})
    assert (looked.undo, plain.undo) == (row, None)


def run(*reports: ServerReport) -> list[StoredRow]:
    return [stored(report) for report in reports]


def test_a_run_compared_with_itself_is_the_same() -> None:
    rows = run(healthy("a"), attention("b"), failed("c"), unreachable("d"))
    found = diff(rows, rows)
    assert found.servers == ()
    assert (found.summary.same, found.exit_code) == (4, 0)


def test_a_difference_read_backwards_is_mirrored() -> None:
    before = run(healthy("a"), attention("b"), healthy("c"), healthy("d"), unreachable("e"))
    after = run(attention("a"), healthy("b"), unreachable("c"), healthy("new"), healthy("e"))
    there, back = diff(before, after), diff(after, before)
    kinds = {row.name: row.kind for row in there.servers}
    assert kinds == {
        "a": "worse", "b": "better", "c": "lost", "d": "gone", "e": "regained", "new": "new",
    }  # fmt: skip
    assert [row.kind for row in there.servers] == [
        "worse", "lost", "gone", "regained", "new", "better",
    ]  # fmt: skip
    assert there.summary.appeared == back.summary.resolved
    assert (there.summary.worse, there.summary.lost) == (back.summary.better, back.summary.regained)


def test_a_server_whose_turn_never_came_is_no_worse() -> None:
    found = diff(run(healthy("a"), not_begun("b")), run(not_begun("a"), not_begun("b")))
    assert [(row.name, row.kind) for row in found.servers] == [("a", "gone")]
    assert found.exit_code == 0


@pytest.mark.parametrize(
    ("after", "code"), [(attention("a"), 3), (unreachable("a"), 4), (healthy("a"), 0)]
)
def test_a_difference_says_it_by_its_exit_code(after: ServerReport, code: int) -> None:
    assert diff(run(healthy("a")), run(after)).exit_code == code


def test_only_the_servers_that_are_meant_are_compared() -> None:
    found = diff(run(healthy("a"), healthy("b")), run(attention("a"), attention("b")), {"b"})
    assert [row.name for row in found.servers] == ["b"]
    assert found.summary.worse == 1
