"""Sentences that were stored in English: their template and arguments again.

Rows of the store are the JSON document, so their sentences have lost what they were
made of.  A sentence that volact made is found by the form of its template.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable

_TELLING = 2  # so many words of its own tell a template
_WORD = re.compile(r"[A-Za-z-]{3,}")
_KINDS = {"code": "0x[0-9A-F]{8}", "meaning": ".+"}

_ONE_WORD = {"image": r"\S+"}  # what has no spaces in any template

Form = tuple[str, re.Pattern[str]]  # a template, and what it matches


def forms_of(templates: Iterable[str]) -> tuple[Form, ...]:
    """What templates match, the one with the most words of its own first."""
    own = {text: re.sub(r"\{\w+\}", "", text) for text in templates if "{" in text}
    told = [text for text, rest in own.items() if re.search(r"[a-z]", rest) or "{code}" in text]
    return tuple((text, _form(text)) for text in sorted(told, key=lambda text: -len(own[text])))


def found_again(text: str, forms: Iterable[Form]) -> tuple[str, dict[str, str]] | None:
    """The template of a sentence and its arguments."""
    for template, form in forms if " " in text else ():
        if match := form.fullmatch(text):
            return template, match.groupdict()
    return None


def _form(template: str) -> re.Pattern[str]:
    """What a template matches once it is filled in; a name that is there twice holds the same.

    Where the template has few words of its own, its arguments have none but one.
    """
    telling = len(_WORD.findall(re.sub(r"\{\w+\}", "", template))) >= _TELLING
    parts, known = "", set[str]()
    for literal, name, *_ in string.Formatter().parse(template):
        parts += re.escape(literal)
        if name:
            any_ = _ONE_WORD.get(name, ".+") if telling else _KINDS.get(name, r"\S+")
            parts += f"(?P={name})" if name in known else f"(?P<{name}>{any_})"
            known.add(name)
    return re.compile(parts, re.DOTALL)
