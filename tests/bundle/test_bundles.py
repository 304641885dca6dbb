"""Every bundle that was received is judged as it was reviewed."""

from __future__ import annotations

from pathlib import Path

import pytest

from volact.bundle.document import decode
from volact.bundle.replay import replay

FOLDER = Path(__file__).parents[1] / "bundles"
FILES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_received_bundle_is_judged_as_reviewed(file: Path) -> None:
    bundle = decode(file.read_bytes(), file.name)
    again = [replay(server, file.name) for server in bundle.servers]
    assert {one.name: (one.before, one.after) for one in again if not one.same} == {}


def test_each_bundle_is_named_in_the_list() -> None:
    listed = (FOLDER / "README.md").read_text("utf-8")
    assert FILES and [file.name for file in FILES if f"`{file.name}`" not in listed] == []
