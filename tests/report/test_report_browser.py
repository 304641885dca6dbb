"""The HTML page alive in a real Chromium: search, filters, order, keys, paper, no script."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import msgspec
import pytest
from report_browser import Tab, browsing
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
from volact.model.report import ErrorRow, ServerReport
from volact.model.text import say, typed
from volact.report.html_page import HtmlWriter
from volact.words import LANGUAGES, speaking

pytestmark = pytest.mark.xdist_group("browser")

SERVERS = 400


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("needs a browser (Debian: chromium)")
    assert found, "no browser: CI has the package chromium"
    with browsing(found, tmp_path_factory.mktemp("browser")) as made:
        yield made


def written(folder: Path, servers: list[ServerReport]) -> Path:
    file = folder / "page.html"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = HtmlWriter(out, HOW)
        for server in servers:
            writer.add(server)
        writer.finish(run_of(servers))
    return file


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("page"), fleet(SERVERS))


@pytest.fixture
def opened(tab: Tab, page: Path) -> Tab:
    tab.open(page)
    return tab


def shown(tab: Tab) -> str:
    return str(tab.run("document.getElementById('shown').textContent"))


def names(tab: Tab) -> list[str]:
    return list(tab.run("[...document.querySelectorAll('#rows .who b')].map((b) => b.textContent)"))


def choose(tab: Tab, id: str, value: str) -> None:
    tab.run(
        f"(() => {{ const it = document.querySelector({id!r}); it.value = {value!r};"
        "it.dispatchEvent(new Event('input')); it.dispatchEvent(new Event('change')); })()"
    )
    tab.painted()


def focused(tab: Tab) -> str:
    return str(
        tab.run(
            "document.activeElement.closest('.row')?.querySelector('b').textContent"
            " ?? document.activeElement.id"
        )
    )


def test_it_asks_no_server_and_complains_of_nothing(opened: Tab, page: Path) -> None:
    opened.press("j", "Enter", "s")
    assert opened.log == [f"request {page.as_uri()}"]


def test_a_part_is_drawn_and_the_rest_on_scrolling(opened: Tab) -> None:
    assert shown(opened) == str(SERVERS)
    assert len(names(opened)) < SERVERS
    until = time.monotonic() + 300
    while len(drawn := names(opened)) < SERVERS:
        assert time.monotonic() < until, f"{len(drawn)} of {SERVERS} are drawn"
        opened.run("scrollTo(0, document.body.scrollHeight)")
        opened.painted()
    assert len(set(names(opened))) == SERVERS


def test_search_looks_at_what_is_seen_and_not_at_remedies(opened: Tab) -> None:
    choose(opened, "#search", "SRV-0001 server")
    assert shown(opened) == f"{len(names(opened))} of {SERVERS}"
    assert all(name.startswith("srv-0001") for name in names(opened))
    choose(opened, "#search", "gpupdate")  # is in a remedy
    assert names(opened) == []
    assert opened.run("document.getElementById('nothing').hidden") is False
    choose(opened, "#search", "kms.corp.example 2019")
    assert names(opened)


def test_filters_and_verdicts_add_up(opened: Tab) -> None:
    choose(opened, "[data-by=found]", "kms-host-set-by-policy")
    by_finding = set(names(opened))
    assert by_finding == {
        server.name
        for server in fleet(SERVERS)
        if any(f.id == "kms-host-set-by-policy" for f in server.findings)
    }
    opened.run("document.querySelector('.chip.failed').click()")
    assert names(opened) == []
    opened.press("Escape")
    assert shown(opened) == str(SERVERS)
    choose(opened, "[data-by=release]", "2012 R2")
    assert set(names(opened)) == {s.name for s in fleet(SERVERS) if s.os.release == "2012 R2"}


@pytest.mark.parametrize("key", ["name", "days", "os", "kms", "cause"])
def test_every_order_turns_round(opened: Tab, key: str) -> None:
    choose(opened, "#sort", key)
    first = names(opened)[0]
    if key == "name":
        assert names(opened)[:3] == ["srv-00001", "srv-00002", "srv-00003"]
    head = f"document.querySelector('.head [data-sort={key}]')"
    assert opened.run(f"{head}.ariaPressed") == "true"
    opened.run(f"{head}.click()")
    assert names(opened)[0] != first


def test_the_keyboard_does_all_of_it(opened: Tab) -> None:
    opened.press("/")
    assert focused(opened) == "search"
    opened.press(*"srv-0000")
    assert set(names(opened)) == {f"srv-{number:05d}" for number in range(1, 10)}
    opened.press("ArrowDown")
    first = focused(opened)
    assert first == names(opened)[0]
    opened.press("j", "ArrowDown", "k")
    assert focused(opened) == names(opened)[1]
    opened.press("Enter")
    assert opened.run("document.activeElement.parentElement.open") is True
    opened.press("Escape", "1")
    assert shown(opened) != str(SERVERS)
    opened.press("Escape", "?")
    assert opened.run("document.getElementById('keys').open") is True
    opened.press("s")
    assert opened.run("document.getElementById('sort').value") == "name"


def test_a_server_named_elsewhere_on_the_page_is_shown_alone(opened: Tab) -> None:
    name = opened.run("document.querySelector('.card .names a').textContent")
    opened.run("document.querySelector('.card .names a').click()")
    opened.painted()
    assert names(opened) == [name]
    assert opened.run("document.querySelector('#rows .row').open") is True
    opened.press("Escape")
    assert shown(opened) == str(SERVERS)


def test_the_bars_of_the_chart_filter(opened: Tab) -> None:
    opened.run("document.querySelector('.chart .pick').click()")
    opened.painted()
    count = opened.run("document.querySelector('.chart .standing').textContent")
    assert shown(opened) == f"{count} of {SERVERS}"


def test_paper_has_every_server(opened: Tab) -> None:
    assert opened.printed().startswith(b"%PDF")
    assert len(names(opened)) == SERVERS


def test_paper_breaks_between_findings_and_not_only_between_servers(opened: Tab) -> None:
    """A page for each server with a long list of findings is half blank."""
    opened.send("Emulation.setEmulatedMedia", media="print")
    breaks = "(name) => getComputedStyle(document.querySelector(name)).breakInside"
    row, summary, line = opened.run(
        f"['.row:not(.healthy)', '.row>summary', '.line'].map({breaks})"
    )
    assert (row, summary, line) == ("auto", "avoid", "avoid")


def test_paper_without_script_has_the_first_500_servers_and_says_so(
    tab: Tab, tmp_path: Path
) -> None:
    tab.open(written(tmp_path, fleet(600)), script=False)
    tab.send("Emulation.setEmulatedMedia", media="print")
    heights = tab.run("[...document.querySelectorAll('#data>.row')].map((r) => r.offsetHeight > 0)")
    assert heights == [True] * 500 + [False] * 100
    said = tab.run("getComputedStyle(document.getElementById('data'), '::after').content")
    assert "first 500 servers" in said


def test_paper_has_the_names_of_ten_thousand_servers(tab: Tab, tmp_path: Path) -> None:
    """Rows are not laid out: that takes minutes."""
    servers = fleet(10_000)
    tab.open(written(tmp_path, servers))
    drawn = len(names(tab))
    tab.run("dispatchEvent(new Event('beforeprint'))")
    text = str(tab.run("document.getElementById('printed').textContent"))
    assert {server.name for server in servers} <= set(re.findall(r"srv-[0-9]{5}", text))
    assert "attention kms-host-set-by-policy" in text
    assert len(names(tab)) == drawn
    tab.send("Emulation.setEmulatedMedia", media="print")
    assert tab.run("document.getElementById('rows').offsetHeight") == 0
    assert tab.run("document.getElementById('printed').offsetHeight") > 0
    tab.run("dispatchEvent(new Event('afterprint'))")
    tab.send("Emulation.setEmulatedMedia", media="")
    assert tab.run("document.getElementById('rows').offsetHeight") > 0
    assert tab.run("document.getElementById('printed').children.length") == 1
    assert tab.printed().startswith(b"%PDF")


@pytest.mark.parametrize("width", [1280, 900, 390])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_a_row_covers_its_neighbour(
    tab: Tab, tmp_path: Path, language: str, width: int
) -> None:
    with speaking(language):
        tab.open(written(tmp_path, one_of_each()))
    tab.send(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=900, deviceScaleFactor=1, mobile=False,
    )  # fmt: skip
    wide = tab.run(
        "[...document.querySelectorAll('.row>summary>span')].filter((s) => "
        "s.scrollWidth > s.clientWidth + 1).map((s) => s.textContent)"
    )
    tab.send("Emulation.clearDeviceMetricsOverride")
    assert wide == []


@pytest.mark.parametrize("width", [1280, 390])
def test_no_cause_is_cut_short(tab: Tab, tmp_path: Path, width: int) -> None:
    ids = [f"a-cause-with-a-rather-long-name-{number}" for number in range(38)]
    rows = [attention(f"s{id}", msgspec.structs.replace(POLICY, id=id)) for id in ids]
    tab.open(written(tmp_path, rows))
    tab.send("Emulation.setDeviceMetricsOverride", width=width, height=900,
             deviceScaleFactor=1, mobile=False)  # fmt: skip
    shown = "[...document.querySelectorAll('.chart .pick')].filter((one) => one.offsetHeight)"
    assert set(ids) <= set(tab.run(f"{shown}.map((one) => one.textContent)"))
    assert tab.run(f"{shown}.every((one) => one.scrollWidth <= one.clientWidth)")
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    tab.send("Emulation.clearDeviceMetricsOverride")


def test_copy_copies_the_command_that_runs_and_prose_has_no_copy(tab: Tab, tmp_path: Path) -> None:
    remedy = say("First {commands}; then rest.", commands=typed("net start a", "sc stop 'b' & c"))
    rows = [attention("db-01", msgspec.structs.replace(POLICY, remedy=remedy)), unreachable("x y")]
    tab.open(written(tmp_path, rows))
    tab.run(
        "window.copied = []; Object.defineProperty(navigator, 'clipboard',"
        "{ value: { writeText: async (text) => { copied.push(text); } } });"
        "for (const row of document.querySelectorAll('.row')) row.open = true;"
        "for (const copy of document.querySelectorAll('.copy')) copy.click()"
    )
    again = "volact activate -i lab.toml --limit 'x y'"
    assert set(tab.run("copied")) == {"net start a", "sc stop 'b' & c", again}
    texts = tab.run("[...document.querySelectorAll('.next span')].map((one) => one.textContent)")
    assert {"First", "then rest."} <= set(texts)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation(tab: Tab, tmp_path: Path, dark: bool, width: int) -> None:
    """What screen readers and readers of little contrast need of a page."""
    try:
        files = metadata.files("axe-playwright-python") or []
    except metadata.PackageNotFoundError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("needs axe-playwright-python (make setup)")
    axe = next(file for file in files if file.name == "axe.min.js").locate()
    begun = ErrorRow(kind="not-begun", message="1 canary failed")
    waiting = msgspec.structs.replace(unreachable("w-1"), verdict="not-started", error=begun)
    rows = [*fleet(40), attention("pol-01"), failed(), healthy("r", repaired=True), waiting]
    accepted = Finding(id="kms-host-role", severity="accepted", summary="This is a KMS host",
                       accepted=Accepted(severity="info", reason="our own"))  # fmt: skip
    rows += [unreachable(), msgspec.structs.replace(healthy("kms-01"), findings=(accepted,))]
    tab.open(written(tmp_path, rows), dark=dark)
    tab.send("Emulation.setDeviceMetricsOverride", width=width, height=900,
             deviceScaleFactor=1, mobile=False)  # fmt: skip
    tab.run("for (const row of document.querySelectorAll('.row')) row.open = true")
    tab.run(f"{Path(str(axe)).read_text('utf-8')};0")
    tab.painted()
    found = tab.run(
        "axe.run(document).then((got) => [got.passes.length, got.violations.map((one) =>"
        " `${one.id}: ${one.nodes[0].html} ${one.nodes[0].failureSummary}`)])"
    )
    tab.send("Emulation.clearDeviceMetricsOverride")
    assert found[1] == []
    assert found[0] > 20


def test_without_a_script_everything_can_be_read(tab: Tab, page: Path) -> None:
    tab.open(page, script=False)
    boxes = "[...document.querySelectorAll('noscript .row')].filter((row) => row.offsetHeight)"
    assert tab.run(f"{boxes}.length") == SERVERS
    assert tab.run("document.getElementById('search').offsetHeight") == 0
    assert tab.run("document.querySelector('.blocked').offsetHeight") == 0


def test_light_and_dark_follow_the_system(tab: Tab, page: Path) -> None:
    def ground() -> str:
        return str(tab.run("getComputedStyle(document.documentElement).backgroundColor"))

    tab.open(page, dark=True)
    dark = ground()
    tab.open(page)
    assert dark != ground()


def test_nothing_runs_that_a_server_says(tab: Tab, tmp_path: Path) -> None:
    evil = (
        "</noscript></script><script>document.title='owned'</script>"
        "<img src=x onerror=\"document.title='owned'\"> \" ' onfocus=alert(1) &amp;\n<details"
    )
    finding = msgspec.structs.replace(POLICY, id=evil, summary=evil, evidence={evil: evil})
    server = msgspec.structs.replace(attention(evil, finding), provider=evil, address=evil)
    tab.open(written(tmp_path, [server, failed(), healthy(), unreachable()]))
    assert tab.run("document.title") == "volact: 1 of 4 healthy"
    assert shown(tab) == "4"
    assert tab.run("document.querySelectorAll('img, noscript, #rows script').length") == 0
    assert len(names(tab)) == 4
    choose(tab, "#search", "</NOSCRIPT>")
    assert len(names(tab)) == 1
    tab.run("document.querySelector('.pick')?.click()")
    assert not [line for line in tab.log if not line.startswith("request file:")]
