"""What many servers have in common stands first, in every format."""

from __future__ import annotations

import io
import json

import msgspec
import pytest
from report_samples import fleet, run_of

from volact.model.report import Cluster, RunReport
from volact.report.base import Invocation
from volact.report.make import make_writer

HOW = Invocation(volact="0.1.0", command="check")
SUBNET = Cluster(
    cause="kms-unreachable",
    detail="TCP 1688 refused",
    summary="37 of 40 servers in 10.1.2.0/24: TCP 1688 refused",
    servers=37,
    of=40,
    where={"subnet": "10.1.2.0/24"},
    names=("web-01", "web-02"),
)
EVERYWHERE = Cluster(cause="not-licensed", summary="9 servers: so", servers=9, of=9)
HOSTILE = Cluster(
    cause="duplicate-cmid",
    summary="2 servers share <b>\x1b[31m</b>",
    servers=2,
    of=2,
    names=("<script>", "b"),
)


def written(format_: str, *clusters: Cluster) -> str:
    servers = fleet(6)
    run: RunReport = msgspec.structs.replace(run_of(servers), clusters=clusters)
    out = io.StringIO()
    writer = make_writer(format_, out, HOW)
    for server in servers:
        writer.add(server)
    writer.finish(run)
    return out.getvalue()


def test_the_text_begins_with_them() -> None:
    lines = written("text", SUBNET).splitlines()
    assert lines[0] == "In common"
    assert lines[1] == ("  37 of 40 servers in 10.1.2.0/24: TCP 1688 refused [kms-unreachable]")
    assert lines[2] == ""


def test_a_cause_alone_is_left_to_the_groups() -> None:
    assert "In common" not in written("text", EVERYWHERE)
    assert "In common" not in written("html", EVERYWHERE)
    assert json.loads(written("json", EVERYWHERE))["clusters"][0]["servers"] == 9


def test_the_text_shows_eight_and_counts_the_rest() -> None:
    text = written("text", *[SUBNET] * 11)
    assert text.count("TCP 1688 refused") == 8
    assert "and 3 more" in text


@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_the_data_formats_hold_them_all(format_: str) -> None:
    text = written(format_, SUBNET, EVERYWHERE)
    document = json.loads(text if format_ == "json" else text.splitlines()[-1])
    assert document["clusters"][0] == {
        "cause": "kms-unreachable",
        "detail": "TCP 1688 refused",
        "summary": "37 of 40 servers in 10.1.2.0/24: TCP 1688 refused",
        "servers": 37,
        "of": 40,
        "where": {"subnet": "10.1.2.0/24"},
        "names": ["web-01", "web-02"],
    }
    assert len(document["clusters"]) == 2


def test_the_page_shows_them_and_what_a_server_says_stays_text() -> None:
    page = written("html", SUBNET, HOSTILE)
    assert page.index("10.1.2.0/24") < page.index("Not healthy")
    assert "web-01, web-02, …" in page
    assert "<b>\x1b" not in page
    assert "&lt;script&gt;, b" in page
    assert "\x1b" not in written("text", HOSTILE)
