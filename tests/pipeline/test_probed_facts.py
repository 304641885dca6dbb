"""Facts that probes alone ask for are carried to the facts after the steps, all of them."""

from __future__ import annotations

import re
from importlib import resources

from volact.agent.render import PARTS
from volact.pipeline.visit import _PROBED


def test_what_is_carried_from_the_probe_is_what_an_apply_does_not_ask() -> None:
    folder = resources.files("volact.agent").joinpath("source")
    parts = set(PARTS["probe"]) - set(PARTS["apply"])
    text = "".join(folder.joinpath(f"{part}.js").read_text("ascii") for part in sorted(parts))
    assert set(re.findall(r"^UNCHANGED\.(\w+) =", text, re.MULTILINE)) == set(_PROBED)
