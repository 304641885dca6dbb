"""Translation of sentences into the current language.

The language belongs to the running context, like a locale: ``use`` sets it for good,
``speaking`` for a ``with`` block.

Rows of the store are the JSON document, so their sentences have lost what they were made of.
A sentence that volact made is found by the form of its template.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from volact.model.text import Text, clause, listed

if TYPE_CHECKING:
    from volact.words.po import Catalogue

Translator = Callable[[str], str]  # translates a sentence into one language

_language: ContextVar[str] = ContextVar("language", default="en")


def use(name: str) -> None:
    """Set the language, one of ``LANGUAGES``."""
    _language.set(name)


def language() -> str:
    """The current language."""
    return _language.get()


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Use a language inside the block."""
    token = _language.set(name)
    try:
        yield
    finally:
        _language.reset(token)


def tr(text: str) -> str:
    """Translate a sentence; English if the catalogue does not have it.

    A plain ``str`` is looked up as it is, such as a word of a table.
    """
    name = _language.get()
    return str(text) if name == "en" else words_of(name)(text)


def decimal(number: str) -> str:
    """A number with the decimal mark of the current language."""
    return number.replace(".", ",") if _language.get() == "id" else number


def words_of(name: str) -> Translator:
    """The translator of one language, regardless of the current one."""

    def words(text: str) -> str:
        return str(text) if name == "en" else _translated(text, name)

    return words


@cache
def _catalogue(name: str) -> Catalogue:
    from volact.words.po import load_catalogue  # noqa: PLC0415 - most runs are in English

    return load_catalogue(name)


@cache
def _forms(name: str) -> tuple[SentenceForm, ...]:
    """Made when a sentence is met that lost its template."""
    catalogue = _catalogue(name)
    return forms_of([*catalogue.messages, *catalogue.singulars])


def _translated(text: str, name: str) -> str:
    if not isinstance(text, Text):
        return _looked_up(text, text, name)
    if text.template and not text.args:
        return _looked_up(text.template, str(text), name)
    args = {key: _argument(value, name) for key, value in text.args.items()}
    catalogue = _catalogue(name)
    found = catalogue.messages.get(text.template)
    if not found:
        return _english(text, args)
    chosen = found[catalogue.form(_number(args))] if text.many else found[0]
    return chosen.format_map(args)


@lru_cache(maxsize=4096)
def _looked_up(template: str, text: str, name: str) -> str:
    """A sentence without arguments, or one that was stored: alike ones are many."""
    return _found(template, text, name) or _in_parts(text, name)


def _in_parts(text: str, name: str) -> str:
    """Sentences that were stored as one text, each as long as the catalogue has it."""
    parts = text.split("; ")
    for end in range(len(parts) - 1, 0, -1) if len(parts) <= _MOST_PARTS else ():
        first, rest = "; ".join(parts[:end]), "; ".join(parts[end:])
        said = _found(first, first, name) or first
        if said != first or end == 1:
            then = _looked_up(rest, rest, name)
            frame = _catalogue(name).messages["{first}; {then}"][0]
            known = (said, then) != (first, rest)
            return frame.format_map({"first": said, "then": then}) if known else text
    return text


def _found(template: str, text: str, name: str) -> str:
    """The same as one sentence; ``""`` where the catalogue does not have it."""
    catalogue = _catalogue(name)
    known = catalogue.messages
    if found := known.get(template):
        said = found[0].replace("{n}", "1").replace("{{", "{").replace("}}", "}")
        return said if text[:1] == template[:1] else clause(said)
    # A word alone may be a name, such as that of a step.
    if " " in template and (found := known.get(template[:1].upper() + template[1:])):
        return clause(found[0].replace("{{", "{").replace("}}", "}"))
    if _LIST.fullmatch(text):
        return _translated(listed(text.split(", ")), name)
    again, ended = found_again(text, _forms(name))
    if ended and (said := _with_hint(text, name)):
        return said
    if again:
        args = {key: _found_argument(value, name) for key, value in again[1].items()}
        forms = known[catalogue.singulars.get(again[0], again[0])]
        number = again[1].get("n", "")
        form = catalogue.form(int(number)) if forms[1:] and number.isdecimal() else 0
        return forms[form].format_map(args)
    return ""


def _with_hint(text: str, name: str) -> str:
    """An error with its hint, or with a detail: frames that have no words of their own."""
    cuts = [*re.finditer(r" \(", text)] if text.endswith(")") else []
    parts = [(text[: cut.start()], text[cut.end() : -1]) for cut in cuts]
    said = [tuple(_looked_up(part, part, name) for part in both) for both in parts]
    for known in (1, 0):  # the hint, else the error before the detail
        for both, (message, hint) in zip(parts, said, strict=True):
            if both[known] != (message, hint)[known]:
                frame = _catalogue(name).messages["{message} ({hint})"][0]
                return frame.format_map({"message": message, "hint": hint})
    return ""


def _found_argument(value: str, name: str) -> str:
    """A word alone with a capital letter is a name, such as that of a service."""
    return value if value[:1].isupper() and " " not in value else _translated(value, name)


def _english(text: Text, args: Mapping[str, object]) -> str:
    """A sentence that is not in the catalogue, with arguments that may be."""
    if not text.template:
        return str(text)
    one = not text.many or _number(args) == 1
    return (text.template if one else text.many).format_map(args)


def _argument(value: object, name: str) -> object:
    return _translated(value, name) if isinstance(value, Text) else value


def _number(args: Mapping[str, object]) -> int:
    number = args.get("n")
    return number if isinstance(number, int) else 1


# Two words of its own tell a template, or a long one.
_TELLING = re.compile(r"[A-Za-z-]{3,}[^A-Za-z-].*[A-Za-z-]{3,}|[A-Za-z-]{9,}", re.DOTALL)
_KINDS = {
    "code": "0x[0-9A-F]{8}",
    "meaning": ".+",
    "host": r"\S*[.:]\S*",
    "cloud": "[A-Z].*",
    "one": r"\S+( of [A-Z].*)?",
    "other": r"\S+( of [A-Z].*)?",
}
_MOST_PARTS = 8
_LIST = re.compile(r"[^\s,]+(, [^\s,]+)+")
_END = re.compile(r"[.!?] [A-Z]| \(.+\)$|\) \(")  # of a sentence, or of the one before a hint
_ONE_WORD = {"image": r"\S+", "n": "-?[0-9.]+"}  # what has no spaces in any template

SentenceForm = tuple[str, re.Pattern[str]]  # a template, and what it matches


def forms_of(templates: Iterable[str]) -> tuple[SentenceForm, ...]:
    """What templates match, the one with the most words of its own first."""
    own = {text: re.sub(r"\{\w+\}", "", text) for text in templates if "{" in text}
    told = [text for text, rest in own.items() if re.search(r"[a-z]", rest) or "{code}" in text]
    return tuple((text, _form(text)) for text in sorted(told, key=lambda text: -len(own[text])))


def found_again(
    text: str, forms: Iterable[SentenceForm]
) -> tuple[tuple[str, dict[str, str]] | None, bool]:
    """The template of a sentence with its arguments, and whether they hold a sentence's end.

    The best has none in them, but for an argument with which the template begins.
    """
    found = None
    for template, form in forms if " " in text else ():
        if match := form.fullmatch(text):
            again = template, match.groupdict()
            ends = [(match.start(key), match.end(key)) for key in again[1] if match.start(key)]
            # With the next character: a hint is at the end of all.
            if not any(_END.search(text[start : end + 1]) for start, end in ends):
                return again, False
            found = found or again
    return found, True


def _form(template: str) -> re.Pattern[str]:
    """What a template matches once it is filled in; a name that is there twice holds the same.

    Where the template has few words of its own, its arguments have none but one.
    """
    telling = _TELLING.search(re.sub(r"\{\w+\}", "\0", template))
    parts, known = "", set[str]()
    for literal, name, *_ in string.Formatter().parse(template):
        parts += re.escape(literal)
        if name:
            any_ = _ONE_WORD.get(name, ".+") if telling else _KINDS.get(name, r"\S+")
            parts += f"(?P={name})" if name in known else f"(?P<{name}>{any_})"
            known.add(name)
    return re.compile(parts, re.DOTALL)
