"""One server's note: verdict, cause, evidence, what was done, what is left, the command."""

from __future__ import annotations

from typing import Any

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
    healthy,
    unreachable,
)
from test_report_text import text_of

from volact.model.finding import Finding
from volact.model.report import LicenseRow, ServerReport
from volact.model.text import say, typed
from volact.report.base import Invocation
from volact.report.step_lines import Command, lines_of

LOOK = msgspec.structs.replace(HOW, command="check")


def parts(server: ServerReport, how: Invocation = LOOK) -> dict[str, list[str]]:
    """The note's paragraphs by their heading."""
    found: dict[str, list[str]] = {}
    heading = ""
    lines = text_of([server], how).splitlines()[2:]
    margin = max(len(line) - len(line[8:].lstrip()) for line in lines if not line.startswith(" "))
    for line in lines:
        heading = line[:margin].strip() or heading
        found.setdefault(heading, []).append(line[margin:])
    return found


def test_a_look_says_what_is_wrong_and_which_command_mends_it() -> None:
    note = parts(attention("db-01", SKEW))
    assert note["Verdict"] == ["ATTENTION: Windows is not activated."]
    assert note["Cause"] == ["The clock is 5 hours ahead [clock-skew]"]
    assert note["Evidence"] == ["clock error: 5 h", "allowed: 4 min"]
    assert note["Also"] == ["warning: The DNS servers are not the provider's [dns-not-provider]"]
    assert note["Done"] == ["Nothing was changed: this was a check."]
    assert "  volact activate -i lab.toml --limit db-01" in note["To do"]
    assert "  volact plan -i lab.toml --limit db-01 --format commands" in note["To do"]


def test_what_volact_may_not_do_comes_before_what_it_may() -> None:
    server = msgspec.structs.replace(attention(), findings=(POLICY, SKEW, DNS))
    lines = parts(server)["To do"]
    by_hand = next(at for at, line in enumerate(lines) if "Change the KMS host" in line)
    then = lines.index("After that, volact repairs clock-skew:")
    assert by_hand < then


def on_kms_host(**changes: Any) -> ServerReport:
    clock = msgspec.structs.replace(
        SKEW, remedy=say("On the server: {c}", c=typed("w32tm /resync"))
    )
    return msgspec.structs.replace(attention(), findings=(clock, KMS_HOST), plan=(), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"refusals": ({"finding": KMS_HOST.id, "reason": KMS_HOST.summary, "allow_with": ""},)},
        {"reason": KMS_HOST.summary},
    ],
)
def test_on_a_kms_host_the_remedies_are_told_and_no_command_that_does_nothing(
    changes: dict[str, Any],
) -> None:
    assert parts(on_kms_host(**changes))["To do"] == ["On the server:", "  w32tm /resync"]


def refused(*findings: Finding) -> ServerReport:
    refusal = {"finding": SKEW.id, "reason": "its role could not be read", "allow_with": ""}
    return msgspec.structs.replace(
        attention(), findings=findings, plan=(), refusals=(refusal,), reason=refusal["reason"]
    )


def test_what_volact_refuses_is_left_to_a_person() -> None:
    clock = msgspec.structs.replace(SKEW, remedy="Correct the clock.")
    assert parts(refused(clock))["To do"] == ["Correct the clock."]
    after = parts(refused(POLICY, clock))["To do"]
    assert "After that, volact repairs clock-skew:" in after


def test_consent_is_asked_for_with_the_exact_command() -> None:
    note = parts(attention("db-01", RETAIL), HOW)
    assert note["Not done"] == ["a retail key is replaced only with your word"]
    assert note["Done"] == ["Nothing was changed."]
    assert note["To do"][-1] == "  volact activate -i lab.toml --limit db-01 --replace-key"


def test_a_reason_is_asked_for_in_words() -> None:
    option = "--override-entitlement REASON"
    refusal = {"finding": POLICY.id, "reason": "no", "allow_with": option}
    server = msgspec.structs.replace(attention("db-01"), refusals=(refusal,))
    assert parts(server)["To do"][-2:] == [
        f"  volact activate -i lab.toml --limit db-01 {option}",
        "(with your reason in place of REASON)",
    ]


def test_what_was_done_is_told_with_before_and_after() -> None:
    note = parts(healthy(repaired=True), HOW)
    assert note["Verdict"] == [
        "HEALTHY: Windows is activated by kms1.tencentyun.com:1688, for another 180 days."
    ]
    assert note["Done"] == ["sync-clock: changed, clock error 5 h → 0 s", "activate: changed"]
    assert note["Repaired"] == ["clock-skew, not-licensed"]
    assert note["To do"] == ["Nothing."]
    assert "Cause" not in note


def test_a_step_that_failed_leads_to_its_explanation() -> None:
    note = parts(failed(), HOW)
    assert note["Verdict"][0].startswith("FAILED: the repair ran")
    assert note["Done"] == ["activate: not done, 0xC004F038"]
    assert note["To do"] == ["The code means:", "  volact explain 0xC004F038"]


def test_a_server_that_cannot_be_examined_is_no_judgement_on_windows() -> None:
    note = parts(unreachable())
    assert note["Verdict"] == ["UNREACHABLE: the server could not be examined."]
    assert "the server refused the password" in note["Cause"][0]
    assert note["To do"][-1] == "  volact check -i lab.toml --limit old-01"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (None, "it is not known whether Windows is activated."),
        ("licensed", "Windows is activated, but there is a problem."),
        ("notification", "Windows is not activated."),
    ],
)
def test_the_verdict_speaks_of_windows(status: str | None, said: str) -> None:
    server = msgspec.structs.replace(attention(), license=LicenseRow(status=status))
    assert parts(server)["Verdict"] == [f"ATTENTION: {said}"]


def test_commands_of_a_remedy_stand_on_their_own_lines() -> None:
    inner = say("on the server: {command}.", command=typed("sc start a;b"))
    several = typed("net start x", "sc stop y")
    text = say("First {commands}; then {how}", commands=several, how=inner)
    lines = lines_of(text)
    assert lines == ("First", "net start x", "sc stop y", "then on the server:", "sc start a;b")
    assert [isinstance(line, Command) for line in lines] == [False, True, True, False, True]
    assert str(text) == "First net start x; sc stop y; then on the server: sc start a;b."


def test_what_only_looks_like_a_command_is_prose() -> None:
    assert not isinstance(lines_of("volact activate is not for this server.")[0], Command)


def test_a_command_inside_a_sentence_is_not_broken() -> None:
    command = "DISM /Online /Set-Edition:ServerDatacenter /ProductKey:XXXXX /AcceptEula"
    inner = say(
        "if it is listed, {command}, then restart. " + "And wait. " * 20, command=typed(command)
    )
    finding = msgspec.structs.replace(POLICY, remedy=inner)
    text = text_of([attention("db-01", finding)], columns=60)
    assert any(command in line for line in text.splitlines())
    assert "\u00a0" not in text


def test_remedies_from_a_stored_row_are_plain_words() -> None:
    assert lines_of("Restart it {now}.") == ("Restart it {now}.",)


def test_nothing_a_server_says_reaches_the_terminal() -> None:
    evil = "a\x1b[2J\u202eb\n  rm -rf /"
    finding = msgspec.structs.replace(POLICY, summary=evil, evidence={"k": evil}, remedy=evil)
    server = msgspec.structs.replace(
        attention(evil, finding), provider=evil, results=({"do": evil, "ok": False, "note": evil},)
    )
    text = text_of([server])
    assert not {"\x1b", "\u202e"} & set(text)


def test_two_servers_are_a_table() -> None:
    assert "ATTENTION  1 server" in text_of([attention(), healthy()])


def test_a_server_in_no_known_cloud_is_to_be_named() -> None:
    where = attention()
    server = msgspec.structs.replace(where, provider=None, findings=(), plan=(), reason=say("?"))
    assert parts(server)["To do"][-1].endswith("--provider NAME")
