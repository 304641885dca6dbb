"""JUnit: what a CI server makes of a run, valid XML for any answer of a server."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import msgspec
from report_samples import HOW, attention, fleet, healthy, one_of_each, run_of, unreachable

from volact.model.report import ErrorRow, ServerReport
from volact.report.base import Invocation
from volact.report.make import make_writer
from volact.words import speaking


def suite(servers: list[ServerReport], how: Invocation = HOW, *notes: str) -> ET.Element:
    out = io.StringIO()
    writer = make_writer("junit", out, how)
    for server in servers:
        writer.add(server)
    writer.finish(msgspec.structs.replace(run_of(servers), notes=notes))
    root = ET.fromstring(out.getvalue().encode())
    assert root.tag == "testsuites"
    (found,) = root
    return found


def not_begun(name: str = "later-01") -> ServerReport:
    error = ErrorRow(kind="not-begun", message="interrupted before its turn")
    return msgspec.structs.replace(unreachable(name), verdict="not-started", error=error)


def test_each_verdict_has_its_place() -> None:
    cases = {c.get("name"): c for c in suite([*one_of_each(), not_begun()]).iter("testcase")}
    kinds = {
        name: [child.tag for child in case if child.tag != "properties"]
        for name, case in cases.items()
    }
    assert kinds == {
        "web-01": [],
        "web-02": [],
        "db-01": ["failure"],
        "app-01": ["failure"],
        "old-01": ["error"],
        "later-01": ["skipped"],
    }


def test_counts_are_those_of_the_cases() -> None:
    servers = [*fleet(200), not_begun()]
    made = suite(servers)
    assert made.get("tests") == "201"
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert made.get(attribute) == str(len(list(made.iter(tag)))) != "0"
    assert made.get("timestamp") == HOW.started.rstrip("Z")


def test_a_failure_says_what_was_found_and_what_to_do() -> None:
    (case,) = suite([attention()]).iter("testcase")
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("type") == "kms-host-set-by-policy"
    assert "[dns-not-provider] warning" in (failure.text or "")
    assert "next: " in (failure.text or "")
    facts = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert facts["status"] == "notification"
    assert "clock_skew_s" not in facts  # not measured is not 0


def test_it_is_data_and_stays_english() -> None:
    with speaking("zh-CN"):
        (case,) = suite([unreachable()]).iter("testcase")
    assert "".join(case.itertext()).isascii()


def test_notes_on_the_run_are_kept() -> None:
    out = suite([healthy()], HOW, "stopped early").find("system-out")
    assert out is not None
    assert out.text == "stopped early"
