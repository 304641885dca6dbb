"""The HTML page: one file, no request, no injection, and alive in a real browser."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
import sys
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from report_samples import (
    HOW,
    POLICY,
    attention,
    failed,
    fleet,
    healthy,
    one_of_each,
    run_of,
    unreachable,
)

from volact.model.finding import Accepted, Finding
from volact.model.report import ErrorRow, ServerReport, Summary
from volact.report.base import Invocation
from volact.report.html_page import HtmlWriter
from volact.report.html_view import CauseBars, ExpiryBars, tiles

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7*7 }}\x1b[2J\ud800"


def page(servers: list[ServerReport], how: Invocation = HOW) -> str:
    out = io.StringIO()
    writer = HtmlWriter(out, how)
    for server in servers:
        writer.add(server)
    writer.finish(run_of(servers))
    return out.getvalue()


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_asks_no_other_host_for_anything() -> None:
    text = page(one_of_each())
    for tag, attributes in Tags(text).found:
        assert tag not in {"link", "iframe", "object", "embed", "img", "base", "form"}
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    styles = "".join(re.findall(r"<style>(.*?)</style>", text, re.DOTALL))
    assert "url(" not in styles
    assert "@import" not in styles
    scripts = "".join(re.findall(r"<script>(.*?)</script>", text, re.DOTALL))
    assert not re.search(
        r"fetch|XMLHttpRequest|WebSocket|sendBeacon|import\s*\(|EventSource", scripts
    )
    assert "http://" not in text
    assert "https://" not in text


def test_the_page_allows_exactly_its_own_style_and_script() -> None:
    text = page(one_of_each())
    policy = next(a["content"] for t, a in Tags(text).found if a.get("http-equiv")) or ""
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        (inline,) = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_what_a_server_says_stays_text() -> None:
    finding = msgspec.structs.replace(
        POLICY, summary=EVIL, evidence={EVIL: EVIL}, remedy=EVIL, id=EVIL
    )
    server = msgspec.structs.replace(
        attention(EVIL, finding),
        address=EVIL,
        reason=EVIL,
        results=({"do": EVIL, "ok": False, "note": EVIL, "before": {EVIL: EVIL}},),
        plan=({"do": EVIL, "because": [EVIL], "x": EVIL},),
        resolved=(EVIL,),
        refusals=({"finding": "x", "reason": EVIL, "allow_with": ""},),
    )
    lost = msgspec.structs.replace(unreachable(EVIL), error=ErrorRow(kind="agent", message=EVIL))
    how = msgspec.structs.replace(HOW, selector=EVIL, command=EVIL)
    text = page([server, lost], how)
    tags = [tag for tag, _ in Tags(text).found]
    assert tags.count("script") == 1
    assert "img" not in tags
    assert "{{ 7*7 }}" in text
    text.encode("utf-8")


def test_every_server_is_there_with_its_details() -> None:
    text = page(one_of_each())
    assert len(re.findall(r'^<details class="row', text, re.MULTILINE)) == 5
    words = html.unescape(text)
    assert "Change the KMS host in the group policy" in words
    assert "the server refused the password of Administrator" in words
    assert "skew" in words
    assert "5 h → 0 s" in words


def test_every_link_leads_to_a_server() -> None:
    tags = Tags(page(fleet(80))).found
    links = [a["href"] for t, a in tags if t == "a"]
    anchors = {f"#{a['id']}" for t, a in tags if t == "details" and "id" in a}
    assert links
    assert set(links) <= anchors


def test_an_earlier_look_is_set_beside_the_counts() -> None:
    how = msgspec.structs.replace(HOW, before=Summary(servers=5, healthy=0, attention=5))
    assert "was 5" in page(one_of_each(), how)
    assert "<small>was " not in page(one_of_each())


def test_tiles_cover_the_whole() -> None:
    summary = run_of(fleet(100)).summary
    made = tiles(summary, None)
    assert sum(tile.count for tile in made) == 100
    assert sum(tile.share for tile in made) == pytest.approx(100)
    assert made[-1].offset + made[-1].share == pytest.approx(100)


def test_charts_count_servers() -> None:
    causes, expiry, unknown = CauseBars(), ExpiryBars(HOW.started), ExpiryBars(HOW.started)
    for server in one_of_each():
        causes.add(server)
        expiry.add(server)
    bars = {bar.name: bar for bar in causes.bars()}
    assert (bars["not-licensed"].part, bars["not-licensed"].rest) == (1, 1)
    assert bars["dns-not-provider"].tone == "warn"
    assert bars["login refused"].part == 1
    assert bars["login refused"].token == "error:auth"
    left = {bar.name: bar.part for bar in expiry.bars()}
    assert left["over 150 days"] == 2
    assert sum(left.values()) == 2
    unknown.add(unreachable())
    assert unknown.bars() == []


def test_a_bar_shows_as_many_servers_as_it_counts() -> None:
    """A finding that is accepted, or only told, is no part of them."""

    def found(severity: str, **given: Any) -> ServerReport:
        accepted = Accepted(severity="error") if severity == "accepted" else None
        one = Finding(id="clock-skew", severity=severity, summary="clock", accepted=accepted)  # type: ignore[arg-type]
        return msgspec.structs.replace(healthy(f"{severity}-{given}"), findings=(one,), **given)

    mak = Finding(id="licensed-by-own-key", severity="info", summary="Licensed with a MAK")
    servers = [
        *(found("error", verdict="attention", address=f"ssh://{n}") for n in range(2)),
        *(found("accepted", address=f"ssh://{n}") for n in range(3)),
        found("info"),
        msgspec.structs.replace(attention("mak-01"), findings=(mak,)),
        msgspec.structs.replace(healthy("mak-02"), findings=(mak,)),
        unreachable("lost-01"),
    ]
    bars = CauseBars()
    for server in servers:
        bars.add(server)
    tokens = [each.split() for each in re.findall('data-f="([^"]*)"', page(servers))]
    counts = {bar.token: bar.part for bar in bars.bars() if bar.token}
    assert counts == {"clock-skew": 2, "licensed-by-own-key": 1, "error:auth": 1}
    assert {token: sum(token in each for each in tokens) for token in counts} == counts
    assert ["accepted:clock-skew"] in tokens


def test_a_server_is_one_line_with_any_text() -> None:
    server = msgspec.structs.replace(attention("a\nb\r\nc"), reason="x\ny\u2028z")
    lines = page([server]).split("\n")
    assert sum(line.startswith('<details class="row') for line in lines) == 1
    assert sum(line.endswith("</details>") for line in lines if 'class="row' in line) == 1


def test_rows_are_written_worst_first_and_by_name() -> None:
    names = re.findall(r'data-n="(\w+)"', page([healthy("b10"), healthy("b2"), failed("z")]))
    assert names == ["z", "b2", "b10"]


def test_of_a_group_only_a_few_servers_are_kept() -> None:
    text = page([attention(f"s{number}") for number in range(400, 0, -1)])
    card = text.partition('<article class="card')[2].partition("</article>")[0]
    assert re.findall(r">(s\d+)</a>", card) == [f"s{number}" for number in range(1, 13)]
    assert "and 388 more" in card


def test_no_row_stays_in_memory() -> None:
    out = io.StringIO()
    writer = HtmlWriter(out, HOW)
    server = healthy()
    before = sys.getrefcount(server)
    for _ in range(50):
        writer.add(server)
    assert sys.getrefcount(server) == before
