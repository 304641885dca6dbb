"""Options and arguments as fields of a class of options; ``volact.cli.registry`` reads them.

What several verbs share has a function in ``shared``.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, TypeVar

import typer

T = TypeVar("T")
PARAMETER = "parameter"  # the key in a field's metadata


def option(default: T, help: str, metavar: str | None = None, *names: str, **more: Any) -> T:
    """An option with a value; ``names`` where the field's own is not its name."""
    told = typer.Option(*names, metavar=metavar, help=help, **more)
    return field(default=default, metadata={PARAMETER: told})


def repeatable(help: str, metavar: str, *names: str, **more: Any) -> list[str]:
    """An option that may be given several times."""
    return _several(typer.Option(*names, metavar=metavar, help=help, **more))


def flag(name: str, help: str, *names: str) -> bool:
    """An option without a value."""
    return option(False, help, None, name, *names)


def argument(default: T, help: str, metavar: str, **more: Any) -> T:
    """A word by its place on the command line."""
    told = typer.Argument(metavar=metavar, help=help, **more)
    return field(default=default, metadata={PARAMETER: told})


def arguments(help: str, metavar: str, **more: Any) -> list[str]:
    """All words that are no options."""
    return _several(typer.Argument(metavar=metavar, help=help, **more))


def _several(told: Any) -> list[str]:
    return field(default_factory=list, metadata={PARAMETER: told})
