"""Translation of sentences into the current language.

The language belongs to the running context, like a locale: ``use`` sets it for good,
``speaking`` for a ``with`` block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

from volact.model.text import Text

if TYPE_CHECKING:
    from volact.words.po import Catalogue

Words = Callable[[str], str]  # translates a sentence into one language

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


def words_of(name: str) -> Words:
    """The translator of one language, regardless of the current one."""
    catalogue = _catalogue(name) if name != "en" else None

    def words(text: str) -> str:
        return str(text) if catalogue is None else _translated(text, catalogue)

    return words


@cache
def _catalogue(name: str) -> Catalogue:
    """Read when the first sentence is translated: most runs are in English."""
    from importlib import resources  # noqa: PLC0415

    from volact.words.po import read_po  # noqa: PLC0415

    file = resources.files("volact.words").joinpath("locale", f"{name.replace('-', '_')}.po")
    return read_po(file.read_text("utf-8"))


def _translated(text: str, catalogue: Catalogue) -> str:
    if not isinstance(text, Text) or (text.template and not text.args):
        return _looked_up(text.template if isinstance(text, Text) else text, str(text), catalogue)
    found = catalogue.messages.get(text.template)
    args = {name: _argument(value, catalogue) for name, value in text.args.items()}
    if not found:
        return _english(text, args)
    chosen = found[catalogue.form(_number(args))] if text.many else found[0]
    return chosen.format_map(args)


def _looked_up(template: str, text: str, catalogue: Catalogue) -> str:
    """A sentence without arguments, or one that lost its template, as stored ones did.

    Of the templates that fit, it is the one with the most words of its own.
    """
    known = catalogue.messages
    found = known.get(template) or known.get(template[:1].upper() + template[1:])
    if found:
        return found[0].replace("{{", "{").replace("}}", "}")
    for other, form in catalogue.forms if " " in text else ():
        if match := form.fullmatch(text):
            args = match.groupdict().items()
            said = {name: _translated(value, catalogue) for name, value in args}
            return known[other][0].format_map(said)
    return text


def _english(text: Text, args: Mapping[str, object]) -> str:
    """A sentence that is not in the catalogue, with arguments that may be."""
    if not text.template:
        return str(text)
    one = not text.many or _number(args) == 1
    return (text.template if one else text.many).format_map(args)


def _argument(value: object, catalogue: Catalogue) -> object:
    return _translated(value, catalogue) if isinstance(value, Text) else value


def _number(args: Mapping[str, object]) -> int:
    number = args.get("n")
    return number if isinstance(number, int) else 1
