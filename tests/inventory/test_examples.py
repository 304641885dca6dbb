"""The examples that are handed out are inventories."""

from __future__ import annotations

from pathlib import Path

import pytest

from volact.inventory import load_inventory

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").iterdir())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_is_read(path: Path) -> None:
    assert load_inventory(path).servers


def test_there_is_an_example_of_every_kind() -> None:
    assert {path.suffix for path in EXAMPLES} == {".toml", ".csv", ".ini", ".yml"}
