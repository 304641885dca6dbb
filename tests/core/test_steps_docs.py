"""Every module of steps is a topic, and docs/undo.md says of each step what an undo does."""

from __future__ import annotations

import re
from pathlib import Path

import volact.core.steps
from volact.core.steps import KINDS, TOPICS
from volact.core.steps.kind import Stage

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "undo.md").read_text("utf-8")
NO_TOPICS = {
    *("__init__", "forecast", "kind", "kms_names", "licences", "params", "setting", "wire"),
}
# It belongs to set-kms-host and clear-kms-host, whose rows say it.
WITH_ANOTHER = {"put-back-kms-host"}


def test_every_module_that_declares_steps_is_a_topic() -> None:
    (folder,) = volact.core.steps.__path__
    modules = {file.stem for file in Path(folder).glob("*.py")} - NO_TOPICS
    topics = {topic.__name__.rpartition(".")[2] for topic in TOPICS}
    assert modules == topics, "a topic is imported and in TOPICS of core/steps/__init__.py"


def rows(heading: str) -> set[str]:
    """The steps that the table below a heading has rows for."""
    table = PAGE.partition(f"## {heading}")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]*)\|", table, re.MULTILINE)
    return set(re.findall(r"`([^`]*)`", " ".join(cells)))


def test_the_page_about_undo_has_a_row_for_every_step() -> None:
    planned = [kind for kind in KINDS if kind.stage is not Stage.UNDO]
    undone = {kind.name for kind in planned if kind.changes} - WITH_ANOTHER
    assert rows("What can be undone") == undone, "docs/undo.md: rows of what can be undone"
    stays = {kind.name for kind in planned if kind.stays or not kind.changes}
    assert rows("What cannot be undone") == stays, "docs/undo.md: rows of what cannot be undone"
