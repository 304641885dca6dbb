"""msgspec's errors about a file, with the key first and what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

_PLACED = re.compile(r"(?P<text>.*) - at `\$\.(?P<path>.*)`", re.DOTALL)
_WORD = re.compile(r"Invalid enum value (?P<word>.*)", re.DOTALL)
_FORM = "Expected `str` matching regex"


def told(error: msgspec.ValidationError, shape: type) -> str:
    """The message for a person.

    msgspec's message about types names what it expects and stays.  A wrong word is
    reported with the known ones, a wrong form with an example, and a check of
    the file's own with its place in front.
    """
    placed = _PLACED.fullmatch(str(error))
    if placed is None:
        return str(error)
    text, path = placed["text"], placed["path"]
    parts = tuple(_parts(_type_at(shape, path)))
    if (word := _WORD.fullmatch(text)) is not None:
        words = [w for part in parts if get_origin(part) is Literal for w in get_args(part)]
        return f"{path}: {word['word']} is none of {', '.join(filter(None, words))}"
    if text.startswith(_FORM):
        metas = (part for part in parts if isinstance(part, msgspec.Meta) and part.examples)
        return f"{path}: is not of the form {next(str((m.examples or [''])[0]) for m in metas)}"
    return str(error) if text.startswith(("Expected ", "Object ")) else f"{path}: {text}"


def _type_at(shape: type, path: str) -> Any:
    """The type of a key such as ``routes[0].via``, as its struct declares it."""
    found: Any = shape
    for name in re.sub(r"\[[^\]]*\]", "", path).split("."):
        for part in tuple(_parts(found)):
            if isinstance(part, type) and issubclass(part, msgspec.Struct):
                names = {f.encode_name: f.name for f in msgspec.structs.fields(part)}
                if name in names:
                    found = get_type_hints(part, include_extras=True)[names[name]]
    return found


def _parts(kind: Any) -> Iterator[Any]:
    """A type and everything that it is made of."""
    yield kind
    for part in get_args(kind):
        yield from _parts(part)
