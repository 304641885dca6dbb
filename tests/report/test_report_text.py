"""The terminal report: order, counts, evidence, next commands, hostile text."""

from __future__ import annotations

import io
from typing import Any, get_args

import msgspec
import pytest
from report_samples import (
    DNS,
    HOW,
    KMS_HOST,
    POLICY,
    RETAIL,
    SKEW,
    attention,
    failed,
    fleet,
    healthy,
    one_of_each,
    run_of,
    unreachable,
)

from volact.core.findings.kind import on_server
from volact.errors import ErrorKind
from volact.model.report import ErrorRow, ServerReport, StopRow
from volact.report.base import Invocation
from volact.report.group import groups, natural
from volact.report.html_view import CauseBars
from volact.report.next_step import next_step, shared_step
from volact.report.plan_text import PlanTextWriter
from volact.report.run_counts import RunCounts, exit_code
from volact.report.step_lines import Command, in_one_line
from volact.report.terminal_safe import csv_cell, plain, width
from volact.report.terminal_writer import TerminalWriter
from volact.report.text_table import TextWriter
from volact.report.words import (
    days_left,
    duration,
    is_access_list,
    pairs,
    readable,
    result_line,
    step_line,
)
from volact.words import speaking


def text_of(
    servers: list[ServerReport], how: Invocation = HOW, *, everything: bool = False, **look: Any
) -> str:
    out = io.StringIO()
    writer = TextWriter(TerminalWriter(out, **look), how, everything=everything)
    for server in servers:
        writer.add(server)
    writer.finish(run_of(servers, command=how.command))
    return out.getvalue()


def test_the_worst_comes_first_and_healthy_servers_are_only_counted() -> None:
    text = text_of(one_of_each())
    places = [text.index(word) for word in ("FAILED", "UNREACHABLE", "ATTENTION", "HEALTHY")]
    assert places == sorted(places)
    assert "HEALTHY  2 servers" in text
    assert "web-01" not in text
    assert "5 servers: 2 healthy, 1 attention, 1 failed, 1 unreachable; changed 1; 4.2 s" in text


def stopped_text(command: str) -> str:
    """The report of a rollout that many servers had no turn in."""
    out = io.StringIO()
    writer = TextWriter(TerminalWriter(out), HOW)
    error = ErrorRow(kind="not-begun", message="1 canary failed: web-00")
    lost = [unreachable(f"web-{n:02}") for n in range(1, 30)]
    waiting = {"verdict": "not-started", "error": error}
    servers = [*(msgspec.structs.replace(row, **waiting) for row in lost), failed(), healthy()]
    for server in servers:
        writer.add(server)
    message = "the rollout stopped: 1 canary failed: web-00; 29 of 30 servers were not started"
    stopped = StopRow(why="canary", message=message, not_begun=29, command=command)
    run = run_of(servers, command="activate")
    writer.finish(msgspec.structs.replace(run, stopped=stopped, notes=(message, "another note")))
    return out.getvalue()


def test_a_rollout_that_was_stopped_says_so_first_and_names_who_had_no_turn() -> None:
    text = stopped_text("volact activate -i lab.toml --resume 4f2a")
    first, second, *rest = text.splitlines()
    assert first.startswith("the rollout stopped: 1 canary failed: web-00; 29 of 30 servers")
    assert "  to continue: volact activate -i lab.toml --resume 4f2a" in (second, *rest[:1])
    assert "not-begun: Not started (29 servers)" in text
    assert all(f"web-{n:02}" in text for n in range(1, 30))
    places = [text.index(word) for word in ("FAILED", "HEALTHY", "NOT STARTED  29 servers")]
    assert places == sorted(places), "failures first, what never had its turn last"
    assert "UNREACHABLE" not in text
    assert "31 servers: 1 healthy, 1 failed, 29 not started" in text
    assert text.count("rollout stopped") == 1
    assert text.count("canary failed") == 1
    assert "note: another note" in text
    assert text.count("to continue") == 1
    assert "--limit web-01" not in text


def test_without_a_way_to_go_on_the_next_command_is_there() -> None:
    assert "next: volact" in stopped_text("")


def test_a_notable_server_shows_cause_evidence_and_the_next_command() -> None:
    text = text_of([attention(), healthy()])
    assert "kms-host-set-by-policy: A group policy sets the KMS host" in text
    assert "evidence: machine: kms.corp.example, port: 1688" in text
    assert "next: Change the KMS host in the group policy" in text


def test_a_failed_step_is_shown_with_its_code() -> None:
    text = text_of([failed(), healthy()])
    assert "activate: not done 0xC004F038" in text
    assert "next: volact explain 0xC004F038" in text


def test_servers_with_one_cause_share_one_heading() -> None:
    text = text_of([attention("db-10"), attention("db-2"), attention("db-1")])
    assert text.count("A group policy sets the KMS host") == 1
    assert "(3 servers)" in text
    assert text.index("db-1 ") < text.index("db-2") < text.index("db-10")


def test_every_other_error_of_a_server_is_told_and_warnings_only_on_request() -> None:
    server = msgspec.structs.replace(attention(), findings=(POLICY, SKEW, DNS))
    servers = [server, healthy()]
    short, long = text_of(servers), text_of(servers, everything=True)
    assert "also clock-skew (error)" in short
    assert "dns-not-provider" not in short
    assert "also dns-not-provider (warning)" in long


def test_what_was_repaired_is_counted_of_every_server_in_text_and_html() -> None:
    """As ``resolved`` has it: also where something else still stands."""
    part = msgspec.structs.replace(failed(), resolved=("clock-skew",))
    servers = [healthy("a", repaired=True), part]
    bars = CauseBars()
    for server in servers:
        bars.add(server)
    shown = {bar.name: bar.rest for bar in bars.bars() if bar.rest}
    assert RunCounts(servers).repaired == shown == {"clock-skew": 2, "not-licensed": 1}


def test_what_was_repaired_is_a_line_of_its_own_also_where_no_server_is_healthy() -> None:
    part = msgspec.structs.replace(failed(), resolved=("clock-skew",))
    lines = text_of([part, attention()]).splitlines()
    assert "repaired in this run: clock-skew 1" in lines


def test_what_was_repaired_stands_alike_in_whichever_order_servers_end() -> None:
    clock = msgspec.structs.replace(failed("a"), resolved=("clock-skew",))
    key = msgspec.structs.replace(failed("b"), resolved=("key-missing",))
    for servers in ([clock, key], [key, clock]):
        assert "repaired in this run: clock-skew 1, key-missing 1" in text_of(servers)


def test_what_was_repaired_is_summed_up() -> None:
    text = text_of([healthy("a", repaired=True), healthy("b", repaired=True)])
    assert "repaired in this run: clock-skew 2, not-licensed 2" in text


@pytest.mark.parametrize("columns", [60, 80, 160])
def test_prose_keeps_to_the_terminal_and_commands_stay_whole(columns: int) -> None:
    lines = text_of(one_of_each(), columns=columns).splitlines()
    assert all(len(line) <= columns for line in lines if "volact " not in line)
    assert any(line.endswith("--limit old-01") for line in lines)


def test_colour_only_when_asked() -> None:
    assert "\x1b" not in text_of(one_of_each())
    assert "\x1b[1;33mATTENTION" in text_of(one_of_each(), colour=True)


HOSTILE = "web\x1b[2J\x1b]0;owned\x07\u202etxt.exe\n\rFAKE healthy\ud800"


def test_no_terminal_sequence_of_a_server_reaches_the_terminal() -> None:
    server = msgspec.structs.replace(
        unreachable(HOSTILE),
        address=f"ssh://{HOSTILE}",
        error=ErrorRow(kind="agent", message=HOSTILE),
    )
    finding = msgspec.structs.replace(
        POLICY, summary=HOSTILE, evidence={HOSTILE: [HOSTILE, {"k": HOSTILE}]}, remedy=HOSTILE
    )
    text = text_of([server, attention(HOSTILE, finding)], everything=True)
    assert not {"\x1b", "\x07", "\u202e", "\r", "\ud800"} & set(text)
    assert "\\x1b[2J" in text
    assert not any(line.startswith("FAKE") for line in text.splitlines())
    text.encode("utf-8")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain", "plain"),
        ("日本語 web-01", "日本語 web-01"),
        ("é", "é"),
        ("a\tb\nc", "a b c"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u200bb", "a\\u200bb"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_visible_text_stays_and_the_rest_becomes_visible(given: str, shown: str) -> None:
    assert plain(given) == shown


def test_wide_characters_take_two_columns() -> None:
    assert width("日本") == 4
    assert width("e\u0301") == 1


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_takes_no_cell_for_a_formula(cell: str) -> None:
    assert csv_cell(cell).startswith("'")


@pytest.mark.parametrize(
    ("text", "cell"), [("a; =1", "a; '=1"), ("\ta;＝1", "' a;'＝1"), ('a;"=1"', 'a;\'"=1"')]
)
def test_a_part_after_a_semicolon_is_no_formula(text: str, cell: str) -> None:
    assert csv_cell(text) == cell


def test_an_ordinary_cell_is_untouched() -> None:
    assert csv_cell("kms.tencentyun.com:1688") == "kms.tencentyun.com:1688"


def test_natural_order() -> None:
    assert sorted(["web-10", "web-2", "Web-1", "db"], key=natural) == [
        "db",
        "Web-1",
        "web-2",
        "web-10",
    ]
    numbers = ["n0", "n007", "n07", "n7", "n8", "n10", "n" + "9" * 5000, "n1" + "0" * 5000]
    assert sorted({*numbers}, key=natural) == numbers


def test_groups_are_by_verdict_then_size() -> None:
    found = groups([attention("a", RETAIL), attention("b"), attention("c"), unreachable()])
    assert [(group.verdict, group.cause, len(group.servers)) for group in found] == [
        ("unreachable", "error:auth", 1),
        ("attention", "kms-host-set-by-policy", 2),
        ("attention", "key-wrong-channel", 1),
    ]


def test_what_activate_can_repair_is_sent_to_activate() -> None:
    look = msgspec.structs.replace(HOW, command="check")
    step = next_step([attention("db-01", SKEW)], look)
    assert step == ("volact activate -i lab.toml --limit db-01",)
    assert isinstance(step[0], Command)


def test_consent_is_offered_for_exactly_these_servers() -> None:
    rows = [attention(f"db-{number}", RETAIL) for number in range(20)]
    step = next_step(rows, HOW)
    assert len(step) == 1
    assert step[0].endswith("--replace-key")
    assert step[0].count("db-") == 12


def test_targets_named_one_by_one_are_named_again() -> None:
    bare = msgspec.structs.replace(HOW, selector="", command="check")
    assert next_step([attention("x", SKEW)], bare) == ("volact activate ssh://10.0.1.7:22",)


def test_a_name_with_shell_characters_is_quoted() -> None:
    step = next_step([unreachable("a; rm -rf /")], HOW)
    assert "--limit 'a; rm -rf /'" in step[-1]


@pytest.mark.parametrize("kind", get_args(ErrorKind))
def test_every_error_kind_has_a_next_step(kind: str) -> None:
    row = msgspec.structs.replace(unreachable(), error=ErrorRow(kind=kind, message="m"))  # type: ignore[arg-type]
    commands = [line for line in next_step([row], HOW) if isinstance(line, Command)]
    assert commands[0].startswith("volact activate -i lab.toml --limit old-01")


def looking(**changes: object) -> Invocation:
    return msgspec.structs.replace(HOW, command="check", **changes)


def test_what_volact_repairs_is_offered_by_a_mere_look_with_what_is_typed_for_it() -> None:
    host = msgspec.structs.replace(SKEW, remedy=on_server("net start w32time", "w32tm /resync"))
    rows = [msgspec.structs.replace(attention(name, host), plan=()) for name in ("a", "b")]
    command = "volact activate -i lab.toml --limit"
    by_hand = ("or on the server:", "net start w32time", "w32tm /resync")
    assert next_step(rows[:1], looking()) == (f"{command} a", *by_hand)
    assert shared_step(rows, looking()) == (f"{command} a,b", *by_hand)
    assert [isinstance(line, Command) for line in shared_step(rows, looking())] == [
        True, False, True, True
    ]  # fmt: skip
    other = msgspec.structs.replace(
        rows[1], findings=(msgspec.structs.replace(host, remedy=on_server("w32tm /resync")),)
    )
    assert shared_step([rows[0], other], looking()) == (f"{command} a,b",)


@pytest.mark.parametrize(
    "changes",
    [
        {"results": ({"do": "sync-clock", "ok": True},)},
        {"reason": "the clock of a domain member is the domain's"},
        {"refusals": ({"finding": "clock-skew", "reason": "no"},)},
    ],
)
def test_what_volact_did_or_would_not_do_is_not_offered_again(changes: dict[str, object]) -> None:
    host = msgspec.structs.replace(SKEW, remedy=on_server("w32tm /resync"))
    row = msgspec.structs.replace(attention("a", host), plan=(), **changes)
    assert next_step([row], looking()) == ("On the server:", "w32tm /resync")


def test_no_command_is_offered_for_a_kms_host_which_volact_never_changes() -> None:
    clock = msgspec.structs.replace(SKEW, remedy=on_server("w32tm /resync"))
    row = msgspec.structs.replace(attention("a"), findings=(clock, KMS_HOST), plan=())
    assert next_step([row], looking()) == ("On the server:", "w32tm /resync")


def lost(kind: str, command: str = "", name: str = "old-01") -> ServerReport:
    error = ErrorRow(kind=kind, message="m", command=command)  # type: ignore[arg-type]
    return msgspec.structs.replace(unreachable(name), error=error)


def test_an_unknown_host_key_is_accepted_and_a_changed_one_forgotten_first() -> None:
    again = "volact check -i lab.toml --limit old-01 --host-key-policy accept-new"
    assert next_step([lost("host-key")], looking()) == (
        "compare the fingerprint with the one on the server's console; if they match:",
        again,
    )
    forget = "ssh-keygen -f /home/me/.ssh/known_hosts -R 10.0.3.1"
    changed = next_step([lost("host-key-changed", forget)], looking())
    assert changed == (
        "if the server was not rebuilt, another machine may be answering: do not log in; if it "
        "was, compare the fingerprint with the one on its console, remove the old key:",
        forget,
        "then:",
        again,
    )
    assert [line for line in changed if isinstance(line, Command)] == [forget, again]


def test_several_changed_host_keys_are_each_forgotten() -> None:
    keys = [f"ssh-keygen -f k -R 10.0.3.{n}" for n in (1, 2)]
    rows = [lost("host-key-changed", key, f"old-{at}") for at, key in enumerate(keys)]
    step = shared_step(rows, looking())
    commands = [line for line in step if isinstance(line, Command)]
    assert commands[:2] == keys
    assert commands[2].startswith("volact check -i lab.toml --limit old-0,old-1 ")


@pytest.mark.parametrize("kind", ["host-key", "host-key-changed"])
def test_an_option_that_is_there_is_not_offered_again(kind: str) -> None:
    how = looking(login="--host-key-policy accept-new")
    step = in_one_line(next_step([lost(kind, "ssh-keygen -R x")], how))
    assert step.count("accept-new") == 1


def test_a_certificate_has_no_host_key_policy() -> None:
    row = msgspec.structs.replace(lost("host-key"), address="winrms://10.0.3.1:5986")
    assert "accept-new" not in in_one_line(next_step([row], looking()))


ELSEWHERE: list[tuple[str, str, str]] = [
    ("connect", "jump host ssh://nosuch: the name does not resolve (x)", "ssh://10.0.3.1"),
    ("connect", "the name does not resolve (check the address)", "winrm://nosuch"),
    ("host-key", "jump host ssh://bastion: the host key is not known (x)", "ssh://10.0.3.1"),
    ("connect", "the TAT agent is Offline (x)", "tat://ap-jakarta/ins-1"),
    ("auth", "the API refused the credentials (x)", "azure://s/g/vm"),
    ("protocol", "the API does not take the request (x)", "ecs://cn-hangzhou/i-1"),
    ("protocol", "no TLS connection: wrong version number (x)", "winrms://10.0.3.1:5985"),
]


@pytest.mark.parametrize(("kind", "message", "address"), ELSEWHERE)
def test_where_the_server_is_not_at_fault_the_message_says_what_is(
    kind: str, message: str, address: str
) -> None:
    error = ErrorRow(kind=kind, message=message)  # type: ignore[arg-type]
    row = msgspec.structs.replace(unreachable(), address=address, error=error)
    advice, command = next_step([row], looking())
    assert (advice, command) == (
        "see the message above; then:",
        "volact check -i lab.toml --limit old-01",
    )
    # One of several is enough: what is said has to be right for each.
    assert next_step([lost(kind, name="old-02"), row], looking())[0] == advice


@pytest.mark.parametrize(
    ("message", "address"),
    [
        ("no login within 15 s", "ssh://10.0.3.1"),
        ("no connection in time", "winrm://10.0.3.1"),
    ],
)
def test_a_login_that_nothing_answers_is_not_a_matter_of_the_deadline(
    message: str, address: str
) -> None:
    error = ErrorRow(kind="timeout", message=message)
    row = msgspec.structs.replace(unreachable(), address=address, error=error)
    assert next_step([row], looking()) == (
        "check that the server is on and that its port is open from this machine, then:",
        "volact check -i lab.toml --limit old-01",
    )


@pytest.mark.parametrize(("given", "offered"), [(120, 240), (600, 1200), (3600, 3600)])
def test_more_time_is_twice_what_there_was(given: float, offered: int) -> None:
    step = next_step([lost("timeout")], looking(deadline_s=float(given)))
    assert step[-1].endswith(f" --limit old-01 --deadline {offered}")


def test_other_advice_keeps_the_time_that_was_given() -> None:
    assert next_step([lost("connect")], looking(deadline_s=600.0))[-1].endswith(" --deadline 600")
    assert "--deadline" not in in_one_line(next_step([lost("connect")], looking()))


def test_what_the_person_allowed_stays_with_the_servers_it_was_for() -> None:
    how = msgspec.structs.replace(HOW, consent=("--replace-key", "--allow add-dns"))
    step = next_step([lost("connect")], how)
    assert step[-1].endswith(" --limit old-01 --replace-key --allow add-dns")
    checked = next_step([lost("connect")], looking(consent=how.consent))
    assert "--replace-key" not in in_one_line(checked)


@pytest.mark.parametrize(
    ("changes", "command"),
    [
        ({}, "volact activate -i lab.toml"),
        ({"targets": "--limit db-26,mail-52"}, "volact activate -i lab.toml --limit db-26,mail-52"),
        (
            {"targets": "'web-*'", "login": "--user bob", "consent": ("--allow add-dns",)},
            "volact activate -i lab.toml 'web-*' --user bob --allow add-dns",
        ),
        (
            {"selector": "", "targets": "ssh://a ssh://b", "deadline_s": 600.0},
            "volact activate ssh://a ssh://b --deadline 600",
        ),
    ],
)
def test_what_follows_a_plan_is_for_its_servers_and_no_more(
    changes: dict[str, object], command: str
) -> None:
    out = io.StringIO()
    how = msgspec.structs.replace(HOW, command="plan", **changes)
    writer = PlanTextWriter(TerminalWriter(out), how)
    writer.add(attention("app", SKEW))
    writer.finish(run_of([], command="plan"))
    assert out.getvalue().splitlines()[-1] == f"next: {command}"


def test_differing_remedies_of_one_kind_are_marked_as_examples() -> None:
    rows = [
        attention(name, msgspec.structs.replace(POLICY, remedy=on_server(f"sc start {name}")))
        for name in ("a", "b")
    ]
    assert shared_step(rows, HOW) == (
        "On the server:",
        "sc start a",
        "(for the first server; it differs per server)",
    )
    assert len(groups(rows)) == 1


def test_one_cause_with_two_next_steps_is_two_groups_each_with_its_own() -> None:
    """A port that refuses is no missing route: nothing is allowed for it."""
    allow = {
        "finding": POLICY.id,
        "reason": "no route",
        "allow_with": "--allow add-route",
    }
    rows = [attention("refused"), msgspec.structs.replace(attention("silent"), refusals=(allow,))]
    text = text_of(rows)
    refused, *silent = text.split("Change the KMS host in the group policy")
    assert "refused" in refused
    assert "--allow" not in refused
    assert "--limit silent --allow add-route" in silent[-1]
    assert [group.cause for group in groups(rows)] == [POLICY.id, POLICY.id]


@pytest.mark.parametrize(("number", "told"), [(12, False), (13, True)])
def test_a_command_for_the_first_dozen_says_so(number: int, *, told: bool) -> None:
    servers = [attention(f"db-{n:02}", SKEW) for n in range(number)]
    text = text_of(servers, looking())
    assert "db-10,db-11" in text
    assert (f"(the first 12 of {number} servers)" in text) is told


def test_two_ways_are_two_lines_and_each_command_is_one_line() -> None:
    host = msgspec.structs.replace(SKEW, remedy=on_server("net start w32time", "w32tm /resync"))
    rows = [msgspec.structs.replace(attention(name, host), plan=()) for name in ("a", "b")]
    text = text_of(rows, looking(), columns=60).splitlines()
    at = text.index("    next: volact activate -i lab.toml --limit a,b")
    assert text[at + 1 : at + 4] == [
        "      or on the server:", "      net start w32time", "      w32tm /resync"
    ]  # fmt: skip


def test_healthy_servers_need_nothing() -> None:
    assert next_step([healthy()], HOW) == ()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (0.42, "0.4 s"), (59, "59 s"), (90, "1.5 min"), (18000, "5 h"), (-259200, "-3 d")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_days_left_needs_two_times() -> None:
    assert days_left("2026-02-10T08:00:00Z", "2026-01-31T08:00:00Z") == 10
    assert days_left(None, "2026-01-31T08:00:00Z") is None
    assert days_left("soon", "2026-01-31T08:00:00Z") is None
    assert days_left("2026-02-10T08:00:00", "2026-01-31T08:00:00Z") is None


def test_evidence_reads_like_words() -> None:
    assert (
        pairs({"skew_s": 18000, "reason": 0xC004F038, "event": 0x4004F00C, "set": None, "on": True})
        == "clock error: 5 h, reason: 0xC004F038, event: 1074065420, set: unknown, on: yes"
    )
    assert pairs({"hosts": ["a:1", "b:2"], "was": "", "none": [], "deep": {"n": 1}}) == (
        "hosts: a:1, b:2, was: (empty), none: (none), deep: {n: 1}"
    )
    assert pairs({"reason": {"a-b": 0x4004F00C}}) == "reason: {a-b: 0x4004F00C}"


def test_steps_and_results_read_like_words() -> None:
    step = {
        "do": "install-key",
        "because": ["key-missing"],
        "keys": {"14393/8": "X"},
        "builds": [1, 2],
        "replace": True,
    }
    assert step_line(step) == (
        "install-key  install the published KMS client key "
        "(1 published key, chosen by build and edition, replaces a key)"
    )
    assert step_line({"do": "sync-clock", "within_s": 60, "raise_limits": False}) == (
        "sync-clock  correct the clock (within: 1 min)"
    )
    assert result_line({"do": "sync-clock", "ok": True, "changed": False, "note": "in step"}) == (
        "sync-clock: already done - in step"
    )


def test_exit_codes_follow_the_worst() -> None:
    assert exit_code(RunCounts([healthy()]).summary()) == 0
    assert exit_code(RunCounts([healthy(), attention()]).summary()) == 3
    assert exit_code(RunCounts([healthy(), failed()]).summary()) == 3
    assert exit_code(RunCounts([attention(), failed(), unreachable()]).summary()) == 4
    assert exit_code(RunCounts().summary()) == 0


def test_a_plan_lists_steps_in_order_and_says_why_there_are_none() -> None:
    out = io.StringIO()
    how = msgspec.structs.replace(HOW, command="plan")
    planned = msgspec.structs.replace(
        attention("app", SKEW),
        plan=({"do": "sync-clock", "because": ["clock-skew"], "within_s": 60}, {"do": "activate"}),
    )
    writer = PlanTextWriter(TerminalWriter(out), how)
    for server in [planned, healthy(), attention("db", RETAIL), attention("pol"), unreachable()]:
        writer.add(server)
    writer.finish(run_of([], command="plan"))
    text = out.getvalue()
    assert "1. sync-clock  correct the clock (within: 1 min)   (clock-skew)" in text
    assert "2. activate  activate Windows" in text
    assert "next: volact activate -i lab.toml --limit db --replace-key" in text
    assert "no steps: kms-host-set-by-policy: A group policy sets the KMS host" in text
    assert "cannot be examined: login refused:" in text
    assert "1 to change, 1 activated with no problems, 2 need attention, 1 not examined" in text
    assert "next: volact activate -i lab.toml" in text


def test_ten_thousand_healthy_servers_cost_the_text_report_no_rows() -> None:
    writer = TextWriter(TerminalWriter(io.StringIO()), HOW)
    for server in fleet(10_000):
        writer.add(server)
    notable = [server for server in fleet(10_000) if server.verdict != "healthy"]
    assert len(writer._kept) == len(notable) < 2_500


def test_one_error_of_many_servers_is_told_once() -> None:
    rows = [unreachable(f"old-{number}") for number in range(5)]
    said = "the server refused the password"
    assert text_of([*rows, healthy()]).count(said) == 1
    other = msgspec.structs.replace(rows[0], error=ErrorRow(kind="auth", message="another"))
    text = text_of([other, *rows[1:]])
    assert text.count("another") == 1
    assert text.count(said) == 4


@pytest.mark.parametrize("columns", [60, 80])
def test_a_plan_keeps_to_the_terminal(columns: int) -> None:
    out = io.StringIO()
    planned = msgspec.structs.replace(
        attention("app", SKEW),
        plan=({"do": "sync-clock", "because": ["clock-skew"] * 9, "within_s": 60},),
        refusals=({"finding": "x", "reason": "a long reason " * 12},),
    )
    terminal = TerminalWriter(out, columns=columns)
    writer = PlanTextWriter(terminal, msgspec.structs.replace(HOW, command="plan"))
    writer.add(planned)
    writer.write_plans()
    assert max(map(len, out.getvalue().splitlines())) <= columns


def test_an_access_list_is_spelled_out_only_with_verbose() -> None:
    finding = msgspec.structs.replace(POLICY, evidence={"why": "acl", "sddl": "D:(A;;FA;;;BA)"})
    servers = [attention("a", finding), healthy()]
    assert "(A;;FA" not in text_of(servers)
    assert "(A;;FA" in text_of(servers, everything=True)


@pytest.mark.parametrize(
    ("item", "is_one"),
    [
        ("D:(A;;0xf003f;;;S-1-5-18)(A;;0xf003f;;;S-1-5-32-544)", True),
        ("O:BAG:SYD:PAI(A;;FA;;;BA)", True),
        ("D:PAI(XA;;FX;;;WD;(a==b))", True),
        ("01000480" + "00" * 20, True),
        (r"D:\tools(x86)\sppsvc.exe", False),
        ("S-1-5-18 S-1-5-20", False),
        (0x01000480, False),
    ],
)
def test_an_access_list_is_told_by_its_form(item: object, is_one: bool) -> None:
    assert is_access_list(item) is is_one
    assert ("hive" in readable({"hive": item})) is not is_one
    assert readable({"hive": item}, everything=True) == {"hive": item}


def test_lost_rights_are_named_by_their_objects() -> None:
    lost = {"lost": ["profile-list", "hive"], "profile-list": "S-1-5-18"}
    assert pairs(lost) == (
        "rights missing on: the list of profiles, the registry hive of NETWORK SERVICE, "
        "missing from the list: S-1-5-18"
    )


def test_decimals_have_the_mark_of_the_language() -> None:
    for language, said in (("en", "3.5 h"), ("id", "3,5 jam"), ("zh-CN", "3.5 小时")):
        with speaking(language):
            assert duration(3.5 * 3600) == said


def test_of_many_servers_ten_have_details_and_the_others_are_named() -> None:
    servers = [attention(f"db-{n:02}") for n in range(30)]
    how = msgspec.structs.replace(HOW, command="check", selector="-i fleet.toml")
    text = text_of(servers, how)
    assert text.count("ssh://") == 10
    assert "and 20 more (-v shows each): db-10, db-11" in text
    assert "servers by cause: kms-host-set-by-policy 30\n" in text
    assert text.endswith("next: volact plan -i fleet.toml\n")
    assert text_of(servers, how, everything=True).count("ssh://") == 30


def test_servers_with_the_same_plan_are_shown_together() -> None:
    out = io.StringIO()
    writer = PlanTextWriter(TerminalWriter(out), msgspec.structs.replace(HOW, command="plan"))
    rows = [failed(f"app-{n:02}") for n in range(20)]
    for row in rows:
        writer.add(row)
    writer.finish(run_of(rows, command="plan"))
    said = out.getvalue()
    assert said.count("  1. ") == 1
    assert said.count("ssh://") == 10
    assert "and 10 more: app-10, app-11" in said
