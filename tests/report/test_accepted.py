"""What the reports make of findings that the operator accepts, and of a state that is not."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from report_samples import HOW, STARTED, attention, fleet, healthy, run_of
from servers import NOW, facts_of, product, server

from volact.core.clusters import Clusters
from volact.model.finding import Acceptance
from volact.model.report import ErrorRow, ServerReport
from volact.model.server import Address, Server
from volact.pipeline import Job
from volact.pipeline.run import judge_facts
from volact.report.make import Layout, make_writer
from volact.report.run_counts import RunCounts
from volact.report.watch_changes import ChangeTracker, standing_of

MAK = server("2019", products=[product("2019", channel="VOLUME_MAK", partial="ABCDE")])
KMS_HOST = server("2019", products=[product("2019", channel="VOLUME_KMS_2019_C")])
EVALUATION = server("2019", sku=79, products=[product("2019", channel="TIMEBASED_EVAL")])
UNLICENSED = server("2019", licensed=False)
STATES = {
    "mak-01": (MAK, "licensed-by-own-key"),
    "kms-01": (KMS_HOST, "kms-host-role"),
    "eval-01": (EVALUATION, "edition-evaluation"),
}


def judged(name: str, raw: dict[str, Any], *expect: str, until: date | None = None) -> ServerReport:
    expected = tuple(Acceptance(finding=id, reason="our own keys", until=until) for id in expect)
    address = Address(scheme="ssh", host=f"{name}.example")
    given = Server(name=name, address=address, provider="tencent", expect=expected)
    return judge_facts(given, facts_of(raw), Job(mode="activate"), NOW).report


def test_a_plan_calls_no_accepted_server_activated() -> None:
    both = "2 activated or accepted with no other problems"
    for servers, said in (
        ([healthy("web-01"), judged("web-02", UNLICENSED, "not-licensed")], both),
        ([healthy("web-01"), healthy("web-02")], "2 activated with no problems"),
    ):
        assert [each.verdict for each in servers] == ["healthy", "healthy"]
        how = msgspec.structs.replace(HOW, command="plan")
        out = io.StringIO()
        writer = make_writer("text", out, how, Layout())
        for each in servers:
            writer.add(each)
        writer.finish(run_of(servers))
        assert f"0 to change, {said}, 0 need attention" in " ".join(out.getvalue().split())


def open_states() -> list[ServerReport]:
    return [judged(name, raw) for name, (raw, _) in STATES.items()]


def accepted_states() -> list[ServerReport]:
    until = date(2027, 1, 1)
    return [judged(name, raw, id, until=until) for name, (raw, id) in STATES.items()]


def written(format_: str, servers: list[ServerReport], *, everything: bool = False) -> str:
    out = io.StringIO()
    writer = make_writer(format_, out, HOW, Layout(everything=everything))
    for each in servers:
        writer.add(each)
    writer.finish(run_of(servers))
    return out.getvalue()


def test_a_state_that_is_not_accepted_has_a_title_of_its_own() -> None:
    text = written("text", [*open_states(), attention(), healthy()])
    assert "licensed-by-own-key: Windows is licensed with a MAK" in text
    assert "kms-host-role: This server is itself a KMS host" in text
    assert "edition-evaluation: " in text
    assert "--ignore licensed-by-own-key" in text
    assert "--ignore kms-host-role" in text


def headings(text: str) -> list[str]:
    """The first line of every group: a paragraph below the line of its verdict."""
    _, *groups, _ = text.split("\n\n")
    return [group.splitlines()[0] for group in groups]


def test_no_group_is_without_a_title_even_if_a_server_has_no_finding() -> None:
    bare = judged("bare-01", MAK)
    bare = msgspec.structs.replace(bare, findings=(), reason="", refusals=())
    text = written("text", [*open_states(), bare])
    assert len(headings(text)) == 4
    assert all(line.startswith("  ") and line[2] != " " for line in headings(text)), text
    assert "examined; something is wrong or was not allowed" in text
    failed = msgspec.structs.replace(bare, verdict="failed")
    assert "  repair ran, verification failed" in written("text", [failed, *open_states()])


def test_servers_that_differ_in_their_sentence_have_a_title_too() -> None:
    one, other = (judged(f"web-0{n}", server("2019", skew_s=n * 3600)) for n in (5, 7))
    text = written("text", [one, other, *open_states()])
    assert "clock-skew: " in text
    assert "clock-skew (2 servers)" not in text


def test_junit_names_the_state_and_never_nothing_to_do() -> None:
    cases = ET.fromstring(written("junit", open_states())).iter("testcase")
    messages = [case.find("failure").get("message") for case in cases]  # type: ignore[union-attr]
    assert len(messages) == 3
    assert not any("Nothing to do" in (message or "") for message in messages)
    assert all(messages)


def test_no_card_of_the_page_is_empty() -> None:
    page = written("html", open_states())
    assert page.count('<article class="card attention">') == 3
    assert "<span></span>" not in page
    assert '<span class="tag"></span>' not in page


def test_accepted_states_count_as_healthy_everywhere() -> None:
    servers = accepted_states()
    assert {each.verdict for each in servers} == {"healthy"}
    assert RunCounts(servers).exit_code() == 0
    assert RunCounts(open_states()).exit_code() == 3
    suite = ET.fromstring(written("junit", servers))
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")
    assert 'volact_run_servers{verdict="healthy"} 3' in written("prometheus", servers)
    assert "card" not in written("html", servers).split('<section id="list"')[0].split("<main>")[1]


def test_accepted_states_are_shown_as_accepted() -> None:
    servers = accepted_states()
    text = written("text", [*servers, healthy()])
    assert "accepted: " in text
    for _, id in STATES.values():
        assert f"{id} 1" in text
    everything = written("text", servers, everything=True)
    assert "also licensed-by-own-key (accepted finding): " in everything
    assert "(our own keys; until 2027-01-01)" in everything
    note = written("text", servers[:1])
    assert "HEALTHY: Windows is activated." in note
    assert "accepted finding: Windows is licensed with a MAK" in note
    assert "To do    Nothing." in note
    page = written("html", servers)
    assert "accepted: our own keys; until 2027-01-01" in page
    assert 'name="accepted" value="licensed-by-own-key"' in written("junit", servers)
    assert 'severity="accepted"} 1' in written("prometheus", servers)


def test_data_formats_have_the_acceptance() -> None:
    servers = accepted_states()
    document = msgspec.json.decode(written("json", servers))
    (marked,) = [f for f in document["servers"][0]["findings"] if "accepted" in f]
    assert marked["severity"] == "accepted"
    assert marked["accepted"] == {
        "severity": "info",
        "reason": "our own keys",
        "until": "2027-01-01",
    }
    rows = list(csv.DictReader(io.StringIO(written("csv", servers))))
    assert [row["accepted"] for row in rows] == [id for _, id in STATES.values()]
    assert [row["errors"] for row in rows] == ["", "", ""]


@pytest.mark.parametrize("expect", [(), ("not-licensed",)])
def test_windows_that_is_not_activated_is_never_called_activated(expect: tuple[str, ...]) -> None:
    note = written("text", [judged("web-01", UNLICENSED, *expect)])
    assert "Windows is activated" not in note
    said = "Windows is not activated, which is accepted." if expect else "not activated"
    assert said in note


def test_a_watch_says_that_a_server_is_healthy_because_it_is_accepted() -> None:
    (was, *_), (now, *_) = open_states(), accepted_states()
    tracker = ChangeTracker(timedelta(1), {now.name: standing_of(was, STARTED, timedelta(1))})
    (change,) = tracker.add(now, STARTED)
    assert change.summary == "mak-01: attention before, healthy now; accepted: licensed-by-own-key"


def test_a_report_without_acceptances_is_as_it_was() -> None:
    assert '"accepted":' not in written("json", fleet(20))
    assert "accepted: " not in written("text", fleet(20))


def test_servers_that_never_had_their_turn_have_nothing_in_common_and_no_cause() -> None:
    error = ErrorRow(kind="not-begun", message="1 canary failed: web-00")
    waiting = [
        msgspec.structs.replace(
            judged(f"web-{n:02}", MAK), verdict="not-started", error=error, findings=()
        )
        for n in range(40)
    ]
    assert [c.cause for c in Clusters(waiting).clusters() if c.cause != "duplicate-cmid"] == []
    assert RunCounts(waiting).causes == {}
    page = written("html", waiting)
    assert '<div class="tile not-started">' in page
    assert '<div class="tile unreachable none">' in page


def test_the_page_and_the_text_call_no_accepted_server_free_of_problems() -> None:
    said = "activated or accepted, no other problems"
    for format_ in ("text", "html"):
        assert said in written(format_, accepted_states())
        assert said not in written(format_, [healthy("a"), healthy("b")])
