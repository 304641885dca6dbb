"""A form that is sent twice does its work once: a double click, or the same page sent again.

Each form that is shown has a key of its own, which is kept for a day in the table of the API's
idempotency keys, with where its work led.  The key holds for what was typed with it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import msgspec

from volact.errors import InputError
from volact.model.text import say
from volact.service.caller import Asked, parts_of
from volact.service.console.page import Form
from volact.service.kept_answer import KeptAnswer

_ASK_AGAIN_S = 0.2
_MOST_ASKS = 150
_LED = 303


async def once(request: Asked, form: Form, work: Callable[[], Awaitable[str]]) -> tuple[str, bool]:
    """The path that the work leads to, and whether it was done before.

    A form whose work failed may be sent again.
    """
    if not form.text("once"):
        return await work(), False
    digest = _digest(request.scope["path"], form)
    sent = KeptAnswer(parts_of(request), digest, request.user.user, digest)
    for _ in range(_MOST_ASKS):
        led = await asyncio.to_thread(_begin, sent)
        if led is None:
            break
        if led:
            return led, True
        await asyncio.sleep(_ASK_AGAIN_S)
    else:
        raise InputError(
            say("this was sent twice, and the first is still at work"),
            say("load the page again later"),
        )
    try:
        led = await work()
    except Exception:
        await asyncio.to_thread(sent.forget)
        raise
    await asyncio.to_thread(sent.keep, _LED, led.encode())
    return led, False


def _begin(sent: KeptAnswer) -> str | None:
    """``None``: this is the first; else where that led, ``""`` while it is at work."""
    if sent.begin():
        return None
    kept = sent.row()
    return (kept.body or b"").decode() if kept else ""


def _digest(path: str, form: Form) -> str:
    return hashlib.sha256(msgspec.json.encode([path, form.fields])).hexdigest()
