"""Every finding has a page and an entry, and every page a finding."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import volact.core.diagnose
from volact.core.catalogue import CATALOGUE
from volact.core.diagnose.license import STORE_CODES
from volact.core.diagnose.network import HOST_REFUSALS
from volact.core.plan import ACTIVATING
from volact.core.repairs import REPAIRS
from volact.knowledge.load import load_errors

PAGES = Path(__file__).resolve().parents[2] / "docs" / "findings"
MAKERS = {"error", "warning", "info", "make", "_refusable"}


def ids_in_code() -> set[str]:
    """The first text given to whatever makes a finding."""
    (folder,) = volact.core.diagnose.__path__
    found: set[str] = set()
    for file in Path(folder).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
                if node.func.id in MAKERS and texts:
                    found.add(str(texts[0]))
    return found


def test_what_the_code_can_find_is_in_the_catalogue() -> None:
    assert ids_in_code() == set(CATALOGUE)


def test_every_finding_has_a_page_and_every_page_a_finding() -> None:
    pages = {page.stem for page in PAGES.glob("*.md")} - {"README"}
    assert pages == set(CATALOGUE)


@pytest.mark.parametrize("id", sorted(CATALOGUE))
def test_a_page_has_every_part(id: str) -> None:
    text = (PAGES / f"{id}.md").read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        f"# {id}",
        "## What it means",
        "## How volact knows",
        "## What volact does",
        "## By hand",
        "## Sources",
    ]
    assert "Severity: " in text
    assert "\n    " in text.split("## By hand")[1], "no command"
    assert "\n- " in text.split("## Sources")[1], "no source"


def test_the_list_of_pages_is_whole() -> None:
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    listed = [line for line in text.splitlines() if line.startswith("- ")]
    assert listed == [f"- [{id}]({id}.md): {entry.meaning}" for id, entry in CATALOGUE.items()]


def test_no_page_writes_the_misprinted_port_into_a_command() -> None:
    for page in PAGES.glob("*.md"):
        commands = [line for line in page.read_text("utf-8").splitlines() if line[:4] == "    "]
        assert not [line for line in commands if "1668" in line], page.name


def test_repairs_and_codes_are_of_known_findings_and_codes() -> None:
    assert {*REPAIRS, *ACTIVATING} <= set(CATALOGUE)
    assert {*STORE_CODES, *HOST_REFUSALS} <= set(load_errors())
