"""Imports go in no circle, wherever they stand; one inside a function says why it is there."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]


def test_no_module_leads_back_to_itself() -> None:
    graph = grimp.build_graph("volact", "volact_lab")
    imported = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    assert len(imported) > 300
    try:
        tuple(graphlib.TopologicalSorter(imported).static_order())
    except graphlib.CycleError as circle:
        raise AssertionError(" imports ".join(reversed(circle.args[1]))) from None


def test_an_import_inside_a_function_says_why() -> None:
    """Itself, or the import right above it."""
    silent, found = [], 0
    for path in sorted((ROOT / "src").rglob("*.py")):
        lines = path.read_text("utf-8").splitlines()
        for body in _bodies(ast.parse("\n".join(lines))):
            above: ast.stmt | None = None
            for statement in body:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    found += 1
                    told = "PLC0415 - " in lines[statement.lineno - 1]
                    follows = isinstance(above, ast.Import | ast.ImportFrom)
                    if not (told or follows):
                        silent.append(f"{path.relative_to(ROOT)}:{statement.lineno}")
                above = statement
    assert found > 20
    assert silent == []


def _bodies(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                for name in ("body", "orelse", "handlers", "finalbody"):
                    if isinstance(block := getattr(node, name, None), list):
                        yield block
