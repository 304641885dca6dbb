"""An error of volact as a sentence for a person, which can be translated."""

from __future__ import annotations

from volact.errors import InputError, VolactError
from volact.model.text import Text, ready, say

# What systems say of files and connections: so the catalogues have it.
SYSTEM = (
    say("No such file or directory"),
    say("Permission denied"),
    say("File name too long"),
    say("Is a directory"),
    say("Not a directory"),
    say("No space left on device"),
    say("Connection refused"),
    say("Connection reset by peer"),
    say("No route to host"),
    say("Network is unreachable"),
    say("Name or service not known"),
)


def error_text(error: VolactError) -> Text:
    """The same line as ``error.line()``."""
    message = message_text(error)
    if not error.hint:
        return message
    return say("{message} ({hint})", message=message, hint=ready(error.hint))


def message_text(error: VolactError) -> Text:
    """The message without the hint."""
    if isinstance(error, InputError) and error.where:
        return say("{where}: {message}", where=error.where, message=ready(error.what))
    return ready(error.message)
