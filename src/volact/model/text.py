"""Sentences for a person: English text that still knows its template and arguments.

A ``Text`` *is* its English sentence, a ``str`` like any other; data formats
write it as that.  Because it keeps template and arguments, ``volact.words`` can
translate it.  Nothing here translates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

# What JSON may hold as it is, and a terminal obeys, hides, or takes for the end of a line.
OBEYED = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


class Text(str):
    """An English sentence with what it was made of.

    ``template`` is ``""`` for words that are never translated (commands,
    data); ``many`` is the template for other counts than one, of ``args["n"]``.
    Cutting or joining it gives a plain ``str``: nest it in another template instead.
    """

    __slots__ = ("args", "many", "template")

    args: Mapping[str, Any]
    many: str
    template: str

    def __new__(
        cls, text: str, template: str = "", args: Mapping[str, Any] | None = None, many: str = ""
    ) -> Text:
        """Keep the English text and what it was made of."""
        self = super().__new__(cls, text)
        self.template = template
        self.args = args or {}
        self.many = many
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Text, (str(self), self.template, self.args, self.many)


def say(template: str, /, **args: object) -> Text:
    """A sentence: ``say("The clock is {how_long} {side}.", how_long=…, side=…)``.

    The template is a literal, so that it can be found and translated; an
    argument that is a sentence or words of ours is a ``Text`` itself.
    """
    return Text(template.format(**args), template, args)


def count(n: int, one: str, many: str, /, **args: object) -> Text:
    """The template for one or for several of something; both may use ``{n}``."""
    args = {"n": n, **args}
    return Text((one if n == 1 else many).format(**args), one, args, many)


def raw(text: str) -> Text:
    """What stays as it is in every language: a command, a name, foreign words."""
    return Text(text)


class Commands(Text):
    """Commands as an argument of a sentence: ``lines``, each typed whole as it stands."""

    __slots__ = ("lines",)

    lines: tuple[str, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        return typed, self.lines


def typed(*lines: str) -> Commands:
    """Commands for a shell; what shows sentences gives each a line of its own."""
    self = Commands("; ".join(lines))
    self.lines = lines
    return self


def ready(sentence: str, shown: str = "") -> Text:
    """A sentence out of a data file, translated where a catalogue has it.

    ``shown`` is its form as a part of another sentence.
    """
    if isinstance(sentence, Text):
        return sentence
    return Text(shown or sentence, sentence.replace("{", "{{").replace("}", "}}"))


def listed(items: Iterable[str]) -> Text:
    """``a, b, c``."""
    first, *rest = [*items] or [""]
    text = first if isinstance(first, Text) else raw(first)
    for item in rest:
        text = say("{some}, {more}", some=text, more=item)
    return text


def joined(items: Iterable[str]) -> Text:
    """``a, b and c``."""
    *most, last = [*items] or [""]
    if not most:
        return last if isinstance(last, Text) else raw(last)
    return say("{some} and {last}", some=listed(most), last=last)


def clauses(items: Iterable[str]) -> Text:
    """``a; b; c``."""
    first, *rest = items
    text = first if isinstance(first, Text) else raw(first)
    for item in rest:
        text = say("{first}; {then}", first=text, then=item)
    return text


def suggestion(word: str, known: Iterable[str], n: int = 1) -> Text:
    """The hint for a word that is unknown: the known ones that are like it, else all."""
    near = get_close_matches(word, known := [*known], n)
    if near:
        return say("did you mean {names}?", names=listed(near))
    return say("known: {known}", known=", ".join(known))


# First words that keep their letter, beside "WMI" and the like.
_NAMES = frozenset({"Windows", "Microsoft", "Microsoft's", "Kerberos"})


def clause(sentence: str) -> str:
    """A sentence as a part of another one: "The" and "A" lose their capital letter."""
    first = sentence.split(" ", 1)[0]
    small = (len(first) == 1 or first[1:].islower()) and first.strip(",") not in _NAMES
    return sentence[:1].lower() + sentence[1:] if small else sentence


def in_json(value: object) -> str:
    """What ``msgspec`` writes for a ``Text``: the English sentence.  Its ``enc_hook``."""
    if isinstance(value, Text):
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


def without_surrogates(value: Any) -> Any:
    """The same JSON value with lone surrogates replaced, so that it has a UTF-8 form."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {without_surrogates(k): without_surrogates(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_surrogates(item) for item in value]
    return value
