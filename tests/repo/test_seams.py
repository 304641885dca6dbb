"""The seams that callers use say what they take, return and raise, and show an example."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import volact.queries

# Each seam by the modules that it is imported from: what is public there is its part.
SEAMS = {
    "pipeline": ("volact.pipeline",),
    "fleet": ("volact.fleet",),
    "store": ("volact.store",),
    "queries": (
        "volact.queries",
        *(f"volact.queries.{each.name}" for each in pkgutil.iter_modules(volact.queries.__path__)),
    ),
    "transports": ("volact.transports.base",),
    "cloud": ("volact.cloud.base", "volact.cloud.registry", "volact.cloud.account"),
    "core": ("volact.core",),
}
# The core has no list of its own: what other parts begin with.
CORE = (
    "volact.core.facts.read_facts",
    "volact.core.assessment.assess",
    "volact.core.findings.diagnose",
    "volact.core.plan.make_plan",
    "volact.core.verify.is_healthy",
    "volact.core.verify.confirmed",
    "volact.core.explain.explain",
    "volact.core.undo.plan_undo",
    "volact.core.undo.outcome",
)
FEW = 2  # so many arguments are told by their names and types


def members(seam: str) -> dict[str, Any]:
    if seam == "core":
        found = (path.rpartition(".") for path in CORE)
        return {name: getattr(importlib.import_module(at), name) for at, _, name in found}
    return {
        name: value for path in SEAMS[seam] for name, value in public(importlib.import_module(path))
    }


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    listed = getattr(module, "__all__", None)
    for name in listed or vars(module):
        value = getattr(module, name)
        own = listed or getattr(value, "__module__", "") == module.__name__
        called = inspect.isclass(value) or inspect.isfunction(value)
        if own and called and not name.startswith("_"):
            yield name, value


def said_of(value: Any) -> str:
    """The docstring of its own; that of a base class says nothing of it."""
    return (value.__doc__ if inspect.isfunction(value) else vars(value).get("__doc__")) or ""


def functions(name: str, value: Any) -> Iterator[tuple[str, Callable[..., Any], str]]:
    """Every function of a member, with what its class says before it."""
    if inspect.isfunction(value):
        yield name, value, ""
        return
    for word, part in vars(value).items():
        if inspect.isfunction(part) and not word.startswith("_"):
            yield f"{name}.{word}", part, inspect.getdoc(value) or ""


@pytest.mark.parametrize("seam", SEAMS)
def test_every_public_name_says_what_it_is(seam: str) -> None:
    found = members(seam)
    assert len(found) > 4
    silent = [name for name, value in found.items() if not said_of(value)]
    silent += [
        name
        for member, value in found.items()
        for name, function, _ in functions(member, value)
        if not function.__doc__
    ]
    assert silent == []


@pytest.mark.parametrize("seam", SEAMS)
def test_arguments_are_told(seam: str) -> None:
    """By name, or as those of another function that tells them."""
    untold = []
    for member, value in members(seam).items():
        for name, function, before in functions(member, value):
            told = f"{before}\n{function.__doc__}"
            words = [word for word in inspect.signature(function).parameters if word != "self"]
            missing = [word for word in words if not re.search(rf"\b{word.lstrip('_')}\b", told)]
            if len(words) > FEW and missing and "Arguments as for" not in told:
                untold.append(f"{name}: {', '.join(missing)}")
    assert untold == []


@pytest.mark.parametrize("seam", SEAMS)
def test_errors_and_an_example_are_shown(seam: str) -> None:
    found = members(seam)
    docs = [inspect.getdoc(importlib.import_module(path)) or "" for path in SEAMS[seam]]
    for member, value in found.items():
        docs += [inspect.getdoc(value) or ""]
        docs += [inspect.getdoc(function) or "" for _, function, _ in functions(member, value)]
    text = "\n".join(docs)
    assert re.search(r"\b[A-Z]\w*Error\b", text)
    blocks = re.findall(r"(?:^ {4}.+\n?)+", text, re.MULTILINE)
    used = {word for block in blocks for word in re.findall(r"(\w+)\(", block)}
    assert used & {*found, *(name for value in found.values() for name in vars(value))}


def test_every_question_shows_how_it_is_asked() -> None:
    questions = {
        name: value for name, value in members("queries").items() if name.endswith("Query")
    }
    assert len(questions) > 8
    silent = [name for name, value in questions.items() if f"{name}(" not in (value.__doc__ or "")]
    assert silent == []
