"""An error of volact as a sentence for a person, which can be translated."""

from __future__ import annotations

from volact.errors import InputError, VolactError
from volact.model.text import Text, ready, say


def error_text(error: VolactError) -> Text:
    """The same line as ``error.line()``."""
    message = _message(error)
    if not error.hint:
        return message
    return say("{message} ({hint})", message=message, hint=_sentence(error.hint))


def _message(error: VolactError) -> Text:
    if isinstance(error, InputError) and error.where:
        return say("{where}: {message}", where=error.where, message=_sentence(error.what))
    return _sentence(error.message)


def _sentence(words: str) -> Text:
    return words if isinstance(words, Text) else ready(words)
