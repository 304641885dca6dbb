"""Templates of pages: escaping, words, and what templates may ask.

The templates of the HTML report are in ``templates/``; the console adds its own.
"""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from volact.model.text import count, say
from volact.report.step_lines import Command, lines_of
from volact.report.terminal_safe import plain
from volact.words import language, tr


def environment(*packages: str) -> Environment:
    """An environment over the ``templates`` of packages, the first first."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.tests["command"] = lambda line: isinstance(line, Command)
    made.filters["command"] = Command
    made.globals.update(tr=tr, say=say, count=count, language=language, lines_of=lines_of)
    return made


def _visible(value: object) -> object:
    """A value as text: on one line, and nothing in it hides or turns text around."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value
