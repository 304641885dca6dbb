"""The HTML page: one file, no request, no injection, and alive in a real browser."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from report_samples import HOW, POLICY, attention, fleet, one_of_each, run_of, unreachable

from volact.model.report import ErrorRow, ServerReport, Summary
from volact.report.base import Invocation
from volact.report.html_page import HtmlWriter
from volact.report.html_rows import row
from volact.report.html_view import cause_bars, expiry_bars, tiles

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


def test_the_page_asks_nobody_for_anything() -> None:
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
    assert text.count("<details") == 5
    words = html.unescape(text)
    assert "Change the KMS host in the group policy" in words
    assert "the server refused the password of Administrator" in words
    assert "skew" in words
    assert "5 h → 0 s" in words


def test_every_link_leads_to_a_server() -> None:
    tags = Tags(page(fleet(80))).found
    links = [a["href"] for _, a in tags if "href" in a]
    anchors = {f"#{a['id']}" for t, a in tags if t == "details"}
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
    bars = {bar.name: bar for bar in cause_bars(one_of_each())}
    assert (bars["not-licensed"].part, bars["not-licensed"].rest) == (1, 1)
    assert bars["dns-not-provider"].tone == "warn"
    assert bars["login refused"].part == 1
    left = {bar.name: bar.part for bar in expiry_bars(one_of_each(), HOW.started)}
    assert left["over 150 days"] == 2
    assert sum(left.values()) == 2
    assert expiry_bars([unreachable()], HOW.started) == []


def test_the_search_knows_names_addresses_and_causes() -> None:
    words = row(attention("DB-01"), "s1", HOW, HOW.started).words
    for word in ("db-01", "10.0.1.7", "kms-host-set-by-policy", "dns-not-provider", "2019"):
        assert word in words


@pytest.fixture
def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("needs a browser (Debian: chromium)")
    assert found, "no browser: CI has the package chromium"
    return found


def dom(browser: str, text: str, folder: Path) -> str:
    file = folder / "page.html"
    file.write_text(text, "utf-8")
    options = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--v=0",
        f"--user-data-dir={folder / 'profile'}",
    ]  # fmt: skip
    done = subprocess.run(
        [browser, *options, "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Content Security Policy" not in done.stderr, done.stderr
    assert "Uncaught" not in done.stderr, done.stderr
    return done.stdout


def test_a_browser_runs_the_page(chromium: str, tmp_path: Path) -> None:
    seen = dom(chromium, page(fleet(40)), tmp_path)
    assert '<html lang="en" class="scripted">' in seen
    assert re.search(r'<output id="shown"[^>]*>40</output>', seen)
    assert seen.count("<details") == 40


def test_a_browser_runs_nothing_that_a_server_says(chromium: str, tmp_path: Path) -> None:
    marked = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    finding = msgspec.structs.replace(POLICY, summary=marked, evidence={marked: marked})
    seen = dom(chromium, page([attention(marked, finding)]), tmp_path)
    assert "<title>volact: 0 of 1 healthy</title>" in seen
    assert 'class="scripted"' in seen
