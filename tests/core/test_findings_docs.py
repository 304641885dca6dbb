"""Every finding has a page and an entry, and every page a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

import volact.core.findings
from volact.core.findings import BY_ID, KINDS, TOPICS
from volact.core.findings.kms_host import HOST_REFUSALS
from volact.core.findings.store import STORE_CODES
from volact.knowledge.load import load_errors

PAGES = Path(__file__).resolve().parents[2] / "docs" / "findings"
NO_TOPICS = {"__init__", "kept_licence", "kind", "shared_repairs"}


def test_every_module_that_declares_findings_is_a_topic() -> None:
    (folder,) = volact.core.findings.__path__
    modules = {file.stem for file in Path(folder).glob("*.py")} - NO_TOPICS
    assert modules == {topic.__name__.rpartition(".")[2] for topic in TOPICS}


def test_a_rule_has_the_name_of_its_finding() -> None:
    for kind in KINDS:
        name = getattr(kind.rule, "__name__", kind.id)
        assert name.removeprefix("_").replace("_", "-") == kind.id


def test_a_page_names_only_severities_that_are_declared() -> None:
    for kind in KINDS:
        line = (PAGES / f"{kind.id}.md").read_text(encoding="utf-8").split("Severity: ")[1]
        named = {word for word in ("error", "warning", "info") if word in line.partition("\n")[0]}
        assert named, kind.id
        assert named <= set(kind.severities), kind.id


def test_every_finding_has_a_page_and_every_page_a_finding() -> None:
    pages = {page.stem for page in PAGES.glob("*.md")} - {"README"}
    assert pages == set(BY_ID)


@pytest.mark.parametrize("id", sorted(BY_ID))
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
    assert listed == [f"- [{id}]({id}.md): {kind.meaning}" for id, kind in BY_ID.items()]


def test_no_page_writes_the_misprinted_port_into_a_command() -> None:
    for page in PAGES.glob("*.md"):
        commands = [line for line in page.read_text("utf-8").splitlines() if line[:4] == "    "]
        assert not [line for line in commands if "1668" in line], page.name


def test_the_codes_of_findings_are_explained() -> None:
    assert {*STORE_CODES, *HOST_REFUSALS} <= set(load_errors())
