"""The character NUL, which no request may hold: PostgreSQL takes no text with it."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from litestar import Request
from litestar.exceptions import ValidationException

from volact.service.language import speak


async def read_request(request: Request[Any, Any, Any]) -> None:
    """Refuse a NUL, and set the language of the answer: a ``before_request`` of pages."""
    await speak(request)
    check_address(request)
    if request.method != "POST":
        return
    for name, value in (await request.form()).multi_items():  # a file's name has a pattern
        if "\0" in name or (isinstance(value, str) and "\0" in value):
            raise ValidationException("the form holds the character NUL")


def check_address(request: Request[Any, Any, Any]) -> None:
    """Refuse a NUL in the path or the query."""
    scope = request.scope
    if "\0" in scope["path"] or "\0" in unquote(scope["query_string"].decode("latin-1")):
        raise ValidationException("the address holds the character NUL")
