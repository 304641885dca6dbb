"""The documentation as a site: complete, with links that lead somewhere, self-contained."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from make_site import ROOT, build
from man_page import man_page
from volact.cli.registry import VERBS

pytestmark = pytest.mark.xdist_group("site")  # which is built once
CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="needs chromium (Debian: chromium)")
# What a newcomer asks, in words of their own, and the page that answers.
ASKED = {
    "restart": "Questions",
    "ports": "Prepare a server",
    "exclude servers": "Questions",
    "own KMS host": "Questions",
    "systemd": "Watch",
    "keyring": "Questions",
    "uninstall": "Questions",
    "what is stored": "Questions",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A strict build: a link or an anchor that leads nowhere ends it."""
    return build(tmp_path_factory.mktemp("site"))


def test_every_page_of_the_documentation_is_in_the_site(site: Path) -> None:
    pages = {page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")}
    made = {page: str(page).replace("README.md", "index.md") for page in pages}
    assert [page for page in pages if not (site / made[page]).with_suffix(".html").is_file()] == []
    named = (ROOT / "release/site/zensical.toml").read_text("utf-8")
    unlisted = [page.name for page in pages if len(page.parts) == 1 and f'"{page}"' not in named]
    assert unlisted == []


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loads = re.compile(r"""(?:<(?:script|img|iframe|link)[^>]+(?:src|href)=|url\()["']?https?:""")
    files = [*site.rglob("*.html"), *site.rglob("*.css")]
    found = [file.name for file in files if loads.search(file.read_text("utf-8"))]
    assert found == []


def test_the_help_of_every_verb_is_there(site: Path) -> None:
    text = (site / "help.html").read_text("utf-8")
    assert [verb.name for verb in VERBS if f'id="{verb.name}"' not in text] == []


@pytest.fixture(scope="module")
def opened(site: Path) -> Iterator[Page]:
    """The first page, opened as a file, with no network."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM)
        page = browser.new_page()
        page.goto((site / "index.html").as_uri())
        yield page
        browser.close()


@needs_chromium
@pytest.mark.parametrize("words", ASKED)
def test_the_search_answers_a_newcomer(opened: Page, words: str) -> None:
    opened.reload()
    opened.get_by_role("button", name="Search").first.click()
    field = opened.get_by_role("combobox").or_(opened.get_by_role("textbox")).first
    field.fill(words)
    found = opened.get_by_text(ASKED[words], exact=True).last
    found.wait_for()
    assert found.is_visible()


@pytest.mark.skipif(not shutil.which("groff"), reason="needs groff (Debian: groff)")
def test_the_manual_page_has_every_verb_and_no_mistake() -> None:
    page = man_page("2026-01-31")
    command = ["groff", "-man", "-ww", "-Tutf8", "-P-cbou"]
    done = subprocess.run(command, input=page, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert [verb.name for verb in VERBS if f"\n   {verb.name}\n" not in done.stdout] == []
    assert "--concurrency" in done.stdout
