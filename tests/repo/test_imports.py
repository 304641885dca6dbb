"""Imports go in no circle, wherever they stand: in functions and for types alone too."""

from __future__ import annotations

import graphlib

import grimp


def test_no_module_leads_back_to_itself() -> None:
    graph = grimp.build_graph("volact", "volact_lab")
    imported = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert len(imported) > 300
    try:
        tuple(graphlib.TopologicalSorter(imported).static_order())
    except graphlib.CycleError as circle:
        raise AssertionError(" imports ".join(reversed(circle.args[1]))) from None
