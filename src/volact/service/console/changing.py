"""Forms that change something: one transaction, with its line of the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from volact.errors import InputError
from volact.model.text import raw
from volact.service import caller
from volact.service.caller import Asked
from volact.service.console.page import Form, form_of
from volact.service.identity.audit import Change

T = TypeVar("T")


async def changed(request: Asked, work: Callable[[Change, Form], T]) -> T:
    """What a form asks for is done."""
    form = await form_of(request)
    return await change(request, lambda change: work(change, form))


async def change(request: Asked, work: Callable[[Change], T]) -> T:
    """The same for what was read already."""
    return await asyncio.to_thread(caller.changed, request, work)


def checked(kind: type[T], values: dict[str, Any]) -> T:
    """The values of a form as a struct; ``InputError`` for one that it cannot have."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(raw(str(error))) from error
