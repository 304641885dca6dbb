"""The language of a request: the user's own, else the browser's."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection

from volact.words import use
from volact.words.choose import known_language


async def speak(request: Request[Any, Any, Any]) -> None:
    """Set the language for what answers this request."""
    use(language_of(request))


def language_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """One of ``LANGUAGES``."""
    actor = connection.scope.get("user")
    chosen = known_language(actor.language) if actor is not None else ""
    return chosen or accepted(connection.headers.get("accept-language", ""))


def accepted(header: str) -> str:
    """The best of ``Accept-Language`` that there is a catalogue for, else English."""
    wanted = []
    for part in header[:500].split(","):
        tag, _, rest = part.partition(";")
        weight = rest.strip().removeprefix("q=")
        is_number = weight.replace(".", "", 1).isdecimal()
        wanted.append((float(weight) if is_number else 1.0, tag.strip()))
    wanted.sort(key=lambda pair: -pair[0])
    return next((known for _, tag in wanted if tag and (known := known_language(tag))), "en")
