"""The text output of the verbs that read the store."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec
import pytest
from memory_samples import (
    NOW,
    OVERDUE,
    attention,
    healthy,
    iso,
    latest,
    licensed,
    run_row,
    stored,
    unreachable,
)
from memory_store import diff, expiring, status_of
from report_samples import MIXED_SIGNS

from volact.model.report import LicenseRow, ServerReport, Summary
from volact.model.undo import NotRestored, Undone, UndoRow
from volact.queries.history import history
from volact.report.store_reports.diff_text import write_diff
from volact.report.store_reports.expiring_text import write_expiring
from volact.report.store_reports.history_text import write_history
from volact.report.store_reports.runs_text import write_runs
from volact.report.store_reports.status_text import StatusText
from volact.report.store_reports.store_text import OWN_STORE, AskedStore, StoreText, cut
from volact.report.terminal_safe import width
from volact.words import LANGUAGES, speaking

MONTH = timedelta(days=30)
HOSTILE = "x\x1b]0;owned\x07\u202e<b>\nnext: rm -rf /"


def text(
    write: Callable[[StoreText], None],
    *,
    colour: bool = False,
    columns: int = 100,
    asked: AskedStore = OWN_STORE,
) -> str:
    out = io.StringIO()
    write(StoreText(out, NOW, columns=columns, colour=colour, asked=asked))
    return out.getvalue()


def status(rows: Sequence[ServerReport], days: float = 0) -> Callable[[StoreText], None]:
    def write(paper: StoreText) -> None:
        found = status_of(*(latest(row, days=days) for row in rows))
        StatusText(paper, found, run_row()).write()

    return write


def ending(*rows: ServerReport) -> Callable[[StoreText], None]:
    found = expiring([latest(row, days=-2) for row in rows], NOW, MONTH)
    return lambda paper: write_expiring(paper, found, MONTH)


def runs(*ids: str, more: bool = False) -> Callable[[StoreText], None]:
    return lambda paper: write_runs(paper, [run_row(id) for id in ids], more=more)


def past(*rows: ServerReport) -> Callable[[StoreText], None]:
    looks = [stored(row, days=-n, run=f"r{n}") for n, row in enumerate(rows)]
    made = list(history(looks, {"r0": "check"}))
    return lambda paper: write_history(paper, rows[0], made)


def change(
    before: Sequence[ServerReport], after: Sequence[ServerReport], *, finished: bool = True
) -> Callable[[StoreText], None]:
    found = diff(map(stored, before), map(stored, after))
    second = run_row("b", finished=finished)
    return lambda paper: write_diff(paper, found, run_row("a"), second)


EXPANDED = "web$(Start-Process calc)"


def everything(name: str) -> list[Callable[[StoreText], None]]:
    """Each text, with servers of that name in it."""
    bad = attention(name)
    evil = msgspec.structs.replace(
        bad,
        address=f"ssh://{name}",
        findings=tuple(msgspec.structs.replace(f, summary=name, id=name) for f in bad.findings),
        license=msgspec.structs.replace(bad.license, kms_host=name),
        provider=name,
        results=({"do": name, "ok": True, "changed": True, "before": {"a": name}, "note": name},),
    )
    again = msgspec.structs.replace(evil, name=f"{name}2")
    return [
        status([evil, unreachable(name), licensed(name, 3, host=name)]),
        status([healthy(name)], days=-40),
        ending(licensed(name, 3, OVERDUE, host=name), unreachable(name)),
        runs(name, name, more=True),
        past(evil, unreachable(name), healthy(name, repaired=True)),
        change(
            [evil, healthy("b"), healthy("c")], [licensed(name, 3, host="h"), again, healthy("d")]
        ),
    ]


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_server_rules_the_terminal(at: int, language: str) -> None:
    with speaking(language):
        said = text(everything(HOSTILE)[at])
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said)
    assert "\nnext: rm" not in said
    assert "\\x1b" in said


@pytest.mark.parametrize(
    ("write", "elsewhere", "on_windows"),
    [
        (status([unreachable(EXPANDED), attention("db")]), "history '", "history db"),
        (status([healthy(EXPANDED)], days=-30), "forget '", ""),
        (ending(unreachable(EXPANDED)), "history '", "status"),
        (change([healthy(EXPANDED)], [attention(EXPANDED)]), "history '", ""),
    ],
)
def test_no_command_for_windows_holds_what_a_shell_there_expands(
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[StoreText], None],
    elsewhere: str,
    on_windows: str,
) -> None:
    assert commands(text(write))[0] == f"volact {elsewhere}{EXPANDED}'"
    monkeypatch.setattr(sys, "platform", "win32")
    assert commands(text(write)) == ([f"volact {on_windows}"] if on_windows else [])


def commands(said: str) -> list[str]:
    return re.findall("(?m)volact .+$", said)


@pytest.mark.parametrize("at", range(6))
def test_colours_only_where_they_are_wanted(at: int) -> None:
    plain, painted = (text(everything("web-01")[at], colour=colour) for colour in (False, True))
    assert "\x1b" not in plain
    assert "\x1b[" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain


def test_status_says_what_matters_first() -> None:
    rows = [*(healthy(f"web-{n}") for n in range(9)), attention("db-01"), unreachable("old-01")]
    said = text(status(rows), asked=AskedStore(store="x.db"))
    lines = said.splitlines()
    assert lines[0] == "11 servers as last examined; times are UTC"
    verdicts = [line.split()[:2] for line in lines[3:6]]
    assert verdicts == [["UNREACHABLE", "1"], ["ATTENTION", "1"], ["HEALTHY", "9"]]
    assert said.index("old-01") < said.index("db-01")
    assert "next: volact history old-01 --store x.db" in said
    assert "  over 150 days   9  ########" in said


def test_status_of_no_server_is_a_sentence() -> None:
    assert text(status([])) == "no server in the store matches\nnext: volact status\n"


def test_status_of_an_all_healthy_fleet_names_no_server() -> None:
    said = text(status([healthy("a"), healthy("b")]))
    assert "Not healthy" not in said
    assert "history" not in said
    assert "next:" not in said


@pytest.mark.parametrize(("days", "offered"), [(3, True), (29, True), (31, False)])
def test_status_offers_the_licences_that_end_soon_where_there_are_any(
    days: float, offered: bool
) -> None:
    said = text(status([licensed("a", days)]))
    assert ("next: volact expiring --within 30d" in said) is offered


def test_status_names_the_command_for_a_server_that_is_gone() -> None:
    old = status([healthy("old-01")], days=-30)
    gone = "if the server no longer exists: volact forget old-01"
    assert f"\n{gone} --store x.db\n" in text(old, asked=AskedStore(store="x.db"))
    assert gone not in text(old, asked=AskedStore(service="https://v"))
    assert gone not in text(status([healthy("a")]))


def test_the_next_command_asks_the_same_service() -> None:
    said = text(status([unreachable("a")]), asked=AskedStore(service="https://v"))
    assert "next: volact history a --service https://v" in said
    ending = text(status([licensed("a", 3)]), asked=AskedStore(service="https://v"))
    assert "expiring" not in ending


@pytest.mark.parametrize("language", LANGUAGES)
def test_status_fits_a_narrow_terminal(language: str) -> None:
    host = "kms.a-long-name-of-a-host.example.com:1688"
    rows = [
        healthy("a"), attention("b"), unreachable("c"), licensed("d", 3, host=host),
        msgspec.structs.replace(attention("e"), verdict="failed"),
        msgspec.structs.replace(unreachable("f"), verdict="not-started"),
    ]  # fmt: skip
    with speaking(language):
        lines = text(status(rows), columns=80).splitlines()
    assert max(map(width, lines)) <= 80
    assert any("kms.a-long-name" in line for line in lines)


def test_a_table_has_columns_for_the_verdicts_that_there_are() -> None:
    said = text(status([healthy("a"), attention("b")]))
    assert "  PROVIDER  servers  healthy  attention\n" in said


def test_status_tells_of_licences_that_ran_out_since() -> None:
    said = text(status([licensed("a", -3)], days=-20))
    assert "1 of them was healthy when last examined; its licence has expired since." in said
    assert "1 server was not examined within 7 d: a" in said


def test_ten_thousand_servers_stay_a_screen() -> None:
    rows = [msgspec.structs.replace(attention(f"s{n}"), provider=f"p{n}") for n in range(300)]
    assert text(status(rows)).count("\n") < 80


def test_expiring_says_dates_and_what_is_not_known() -> None:
    said = text(ending(licensed("web-01", 3.2, OVERDUE), unreachable("old-01"), licensed("x", 90)))
    assert said.startswith("1 licence has expired or ends within 30 d; 1 renewal is overdue; ")
    assert re.search(r"web-01 +2026-03-04 16:48 +3\.2 d  ends, renewal overdue ", said)
    assert "1 server with unknown expiry\n  old-01  never examined" in said
    assert "1 licence ends later" in said


def test_expiring_counts_every_renewal_that_it_calls_overdue() -> None:
    rows = (licensed("a", 3, OVERDUE), licensed("b", -3, OVERDUE), licensed("c", 90, OVERDUE))
    said = text(ending(*rows))
    assert "2 licences have expired or end within 30 d; 3 renewals are overdue; times" in said
    assert said.count("renewal overdue") == 3


def test_expiring_with_nothing_to_tell_is_short() -> None:
    said = text(ending(licensed("x", 90)))
    assert said.splitlines()[0].startswith("no licence has expired or ends within 30 d")
    assert "SERVER" not in said


def test_runs_are_a_line_each() -> None:
    lines = text(runs("aaaa", "bbbb"), columns=140).splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["RUN", "aaaa", "bbbb"]
    assert "next: volact diff last~1 last" in lines
    cut_off = [run_row("c", finished=False, elapsed_s=None)]
    said = text(lambda paper: write_runs(paper, cut_off, more=False), columns=140)
    assert "interrupted" in said.splitlines()[1]
    assert "was killed, or is still running" in said


def test_a_run_without_rows_has_no_empty_count_on_a_narrow_terminal() -> None:
    begun = run_row("c" * 16, finished=False, elapsed_s=None, summary=Summary())
    said = text(lambda paper: write_runs(paper, [begun], more=False), columns=50)
    assert said.splitlines()[1] == "    changed 0"


def test_history_shows_steps_before_and_after() -> None:
    said = text(past(healthy(repaired=True), unreachable(), attention()))
    assert "resolved: kms-host-set-by-policy, dns-not-provider, clock-skew, not-licensed" in said
    assert "sync-clock: changed, clock error 5 h -> 0 s" in said
    assert "Login refused: the server refused the password" in said
    assert "licence: licensed, KMS host kms1.tencentyun.com:1688, ends 2026-07-30 08:00" in said


def test_history_does_not_call_unknown_what_was_not_set() -> None:
    step = {
        "do": "set-kms-host", "ok": True, "changed": True,
        "before": {"host": None}, "after": {"host": "kms.example:1688", "via": "wmi"},
    }  # fmt: skip
    said = text(past(msgspec.structs.replace(healthy(), results=(step,))))
    assert "set-kms-host: changed, host (none) -> kms.example:1688\n" in said


def test_history_shows_what_was_put_back() -> None:
    undone = Undone(do="set-kms-host", what="kms-host", before="a", put="b")
    left = NotRestored(
        do="install-key", what="key", reason="a replaced key is nowhere", possible=False
    )
    row = UndoRow(run="r1", word="partly", undone=(undone,), left=(left,))
    said = text(past(msgspec.structs.replace(healthy(), undo=row)))
    assert "undo of run r1, restored: kms-host" in said
    assert "not restored: key" in said


def test_history_of_a_server_in_trouble_leads_to_what_it_means() -> None:
    assert text(past(attention())).endswith("next: volact explain kms-host-set-by-policy\n")


def test_diff_puts_what_got_worse_first() -> None:
    said = text(change([healthy("a"), attention("b")], [attention("a"), healthy("b")]))
    assert said.index("WORSE  1 server") < said.index("BETTER  1 server")
    assert "a  healthy -> attention" in said
    assert "KMS host: kms1.tencentyun.com:1688 -> kms.corp.example:1688" in said
    assert said.splitlines()[-2].startswith("1 worse, 1 better")
    assert said.endswith("next: volact history a\n")


def test_diff_does_not_call_unknown_what_may_not_be_set() -> None:
    unset = msgspec.structs.replace(healthy("a"), license=LicenseRow(status="licensed"))
    said = text(change([unset], [healthy("a")]))
    assert "KMS host: (none known) -> kms1.tencentyun.com:1688" in said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "licence: unlicensed (notification mode) -> licensed"),
        ("id", "lisensi: tidak berlisensi (mode notifikasi) -> berlisensi"),
        ("zh-CN", "许可证：未授权（通知模式） -> 已授权"),
    ],
)
def test_diff_says_the_state_of_a_licence_in_words(language: str, said: str) -> None:
    before = msgspec.structs.replace(healthy("a"), license=LicenseRow(status="notification"))
    with speaking(language):
        assert said in text(change([before], [healthy("a")]))


@pytest.mark.parametrize(
    "written",
    [
        past(healthy(repaired=True), unreachable(), attention()),
        change([healthy("a"), attention("b")], [attention("a"), healthy("b"), healthy("c")]),
    ],
    ids=["history", "diff"],
)
def test_chinese_lines_have_chinese_signs(written: Callable[[StoreText], None]) -> None:
    with speaking("zh-CN"):
        assert MIXED_SIGNS.findall(text(written)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_two_runs_stand_below_each_other(language: str) -> None:
    with speaking(language):
        lines = text(change([healthy("a")], [healthy("a")])).splitlines()[:2]
    first, second = (
        width(line[: line.index(f"  {id}  ")]) for line, id in zip(lines, "ab", strict=True)
    )
    assert first == second


def test_diff_doubts_what_is_gone_from_a_run_that_was_cut_off() -> None:
    doubt = "An interrupted run may not have reached every server."
    assert doubt in text(change([healthy("a")], [], finished=False))
    assert doubt not in text(change([healthy("a")], []))


@pytest.mark.parametrize("name", ["short", "x" * 80, "服务器" * 20, "y" * 1_000_000])
def test_names_are_cut_to_their_column(name: str) -> None:
    assert width(cut(name, 32)) <= 32
    assert cut(name, 2_000_000) == name


def test_moments_are_said_to_the_minute() -> None:
    assert "2026-02-28 12:00" in text(runs("a"))
    assert iso(-1) == "2026-02-28T12:00:00Z"


def test_a_large_difference_stays_readable() -> None:
    names = [f"s{n:04}" for n in range(300)]
    said = text(change([healthy(n) for n in names], [attention(n) for n in names]))
    assert "WORSE  300 servers" in said
    assert "  and 250 more; --output csv lists all" in said
    back = text(change([attention(n) for n in names], [healthy(n) for n in names]))
    assert "  and 288 more; --output csv lists all" in back


def test_many_endings_are_cut_and_say_so() -> None:
    rows = [licensed(f"s{n:04}", 3) for n in range(210)]
    said = text(ending(*rows, *(unreachable(f"u{n:04}") for n in range(25))))
    assert "  and 10 more; --output csv lists all" in said
    assert "  and 5 more; --output csv lists all" in said


def test_diff_compares_the_servers_that_both_runs_had_and_says_so() -> None:
    first = [healthy("a"), *(healthy(f"old-{n:02}") for n in range(20))]
    said = text(change(first, [attention("a"), healthy("fresh")]))
    assert "compared: 1 server that both runs had\n" in said
    gone = "only in the first run, not compared: 20 (old-00, old-01, old-02, old-03, old-04,"
    assert gone in said
    assert "only in the second run, not compared: 1 (fresh)" in said
    assert "GONE" not in said
    assert "NEW" not in said
    assert said.splitlines()[-2] == "1 worse"


def test_diff_of_runs_with_no_server_in_common_compares_nothing() -> None:
    said = text(change([healthy("a")], [healthy("b")]))
    assert "nothing was compared: the runs have no server in common\n" in said
    assert not re.search(r"\b0 ", said)


def test_runs_fit_a_narrow_terminal() -> None:
    said = text(runs("3f9c20b1d4a7e855", "4e0d31c2e5b8f966"), columns=80)
    assert max(map(len, said.splitlines())) <= 80
    assert "healthy" in said
    assert text(runs("3f9c"), columns=140).startswith("RUN ")
