"""How servers stood, and which change of it is worth a word."""

from __future__ import annotations

import io
import sys
from datetime import timedelta

import msgspec
import pytest
from report_samples import POLICY, RETAIL, STARTED, attention, failed, healthy, unreachable

from volact.model.report import ErrorRow, LicenseRow, RunReport, ServerReport, StopRow, Summary
from volact.model.text import raw, say
from volact.report.terminal_safe import width
from volact.report.watch_changes import ChangeTracker, ServerStanding, WatchWriter, standing_of
from volact.words import LANGUAGES, speaking

WITHIN = timedelta(days=30)


def named(server: ServerReport) -> ServerReport:
    return msgspec.structs.replace(server, name="a")


def ending(verdict: str = "healthy") -> ServerReport:
    row = healthy() if verdict == "healthy" else attention("a", RETAIL)
    soon = msgspec.structs.replace(healthy().license, expires="2026-02-10T08:00:00Z")
    return named(msgspec.structs.replace(row, license=soon))


def unread() -> ServerReport:
    """It answered, and its licence could not be read."""
    return named(msgspec.structs.replace(attention(), license=LicenseRow()))


def checked(server: ServerReport) -> ServerReport:
    """What a check says of the same server."""
    return msgspec.structs.replace(server, verdict="attention", plan=(), results=())


def kind(was: ServerReport | None, now: ServerReport) -> str:
    before = {"a": standing_of(was, STARTED, WITHIN)} if was else {}
    changes = ChangeTracker(WITHIN, before).add(named(now), STARTED)
    return " ".join(change.kind for change in changes)


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        (None, healthy(), ""),
        (None, attention(), "new"),
        (None, ending(), "expiring"),
        (healthy(), healthy(), ""),
        (healthy(), attention(), "worse"),
        (healthy(), ending(), "expiring"),
        (ending(), ending(), ""),
        (unreachable(), ending(), "better expiring"),
        (attention(), ending(), "better expiring"),
        (healthy(), ending("attention"), "worse expiring"),
        (None, ending("attention"), "new expiring"),
        (attention("a", POLICY), ending("attention"), "other expiring"),
        (attention(), failed(), "worse"),
        (failed(), unreachable(), "worse"),
        (failed(), checked(failed()), ""),  # a check cannot say failed
        (failed(), attention(), "other"),
        (failed(), healthy(), "better"),
        (unreachable(), failed(), "other"),
        (unreachable(), attention(), "better"),
        (attention(), healthy(), "better"),
        (attention(), attention(), ""),
        (attention("a", POLICY), attention("a", RETAIL), "other"),
    ],
)
def test_kinds_of_change(was: ServerReport | None, now: ServerReport, said: str) -> None:
    assert kind(was, now) == said


@pytest.mark.parametrize("lost", [unreachable(), unread()])
def test_an_end_is_told_once_though_the_server_was_lost_meanwhile(lost: ServerReport) -> None:
    tracker = ChangeTracker(WITHIN, {"a": standing_of(healthy(), STARTED, WITHIN)})
    told = []
    for row in (ending(), lost, lost, ending(), lost, ending(), healthy(), ending()):
        told.append([change.kind for change in tracker.add(named(row), STARTED)])
        tracker.next(["a"])
    assert told == [
        ["expiring"], ["worse"], [], ["better"], ["worse"], ["better"], [], ["expiring"],
    ]  # fmt: skip


def test_a_server_that_had_no_turn_stands_as_before() -> None:
    watched = ChangeTracker(WITHIN, {"a": ServerStanding("healthy", "")})
    error = ErrorRow(kind="not-begun", message="interrupted")
    row = msgspec.structs.replace(unreachable(), verdict="not-started", error=error)
    skipped = named(row)
    assert watched.add(skipped, STARTED) == ()
    watched.next(["a"])
    (change,) = watched.add(named(attention()), STARTED)
    assert change.kind == "worse"


def test_the_next_look_is_compared_with_this_one() -> None:
    watched = ChangeTracker(WITHIN)
    watched.add(named(attention()), STARTED)
    assert [change.kind for change in watched.changes()] == ["new"]
    watched.next(["a"])
    watched.add(named(attention()), STARTED)
    assert watched.changes() == []


def test_what_was_not_received_is_said_again() -> None:
    watched = ChangeTracker(WITHIN)
    for _ in range(2):
        watched.add(named(attention()), STARTED)
        assert len(watched.changes()) == 1
        watched.again()


def test_nothing_is_kept_of_servers_that_are_gone() -> None:
    watched = ChangeTracker(WITHIN)
    watched.add(named(healthy()), STARTED)
    watched.next([])
    (change,) = watched.add(named(attention()), STARTED)
    assert change.kind == "new"


def test_the_worst_stands_first() -> None:
    watched = ChangeTracker(
        WITHIN, {"b2": ServerStanding("failed", ""), "b10": ServerStanding("healthy", "")}
    )
    for server in (healthy("b2"), attention("b10"), attention("c"), unreachable("d")):
        watched.add(server, STARTED)
    assert [(c.kind, c.server) for c in watched.changes()] == [
        ("worse", "b10"), ("new", "d"), ("new", "c"), ("better", "b2"),
    ]  # fmt: skip


def test_each_change_is_a_sentence() -> None:
    watched = ChangeTracker(WITHIN, {"db-01": ServerStanding("healthy", "")})
    (change,) = watched.add(attention(), STARTED)
    assert change.summary.startswith("db-01: healthy before, attention now: ")
    assert "[kms-host-set-by-policy]" in change.summary


def written(columns: int, language: str = "en") -> list[str]:
    """What a watch writes of a rollout that stopped."""
    watched = ChangeTracker(WITHIN, {"db-01": ServerStanding("healthy", "")})
    watched.add(attention(), STARTED)
    message = say("the rollout stopped: {why}", why=raw("web-01, " * 12))
    stopped = StopRow(why="canary", message=message, not_begun=3, command=f"volact {'x' * 90} y")
    run = RunReport(
        volact="1", command="activate", run="01jx", started=STARTED, elapsed_s=2.5, servers=(),
        summary=Summary(servers=4, attention=1, not_started=3),
        stopped=stopped, notes=(message, "a note"),
    )  # fmt: skip
    out = io.StringIO()
    with speaking(language):
        WatchWriter(out, watched, columns=columns).finish(run)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_watch_wraps_its_lines_on_a_terminal_and_leaves_commands_whole(language: str) -> None:
    lines = written(60, language)
    long = [line for line in lines if width(line) > 60]
    assert [line.split("volact ")[1] for line in long] == [f"{'x' * 90} y"]


def test_a_watch_writes_a_line_for_each_thing_elsewhere() -> None:
    first, change, stopped, command, note = written(sys.maxsize)
    assert first.endswith("; 1 change")
    assert change.startswith("  worse: db-01: healthy before, attention now: ")
    assert stopped.startswith("  the rollout stopped: web-01, ")
    assert command.startswith("    to continue: volact xxx")
    assert note == "  note: a note"
