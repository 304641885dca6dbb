"""A form that is sent twice does its work once: a double click, or the same page sent again.

Each form that is shown has a key of its own, which is kept for a day in the table of the API's
idempotency keys, with where its work led.  The key holds for what was typed with it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import sqlalchemy as sa

from volact.errors import InputError
from volact.model.text import say
from volact.service.app import Parts
from volact.service.caller import Asked, parts_of
from volact.service.console.page import Form
from volact.service.database.tables import ANSWERS
from volact.service.database.transaction import transaction
from volact.store.clock import moment

_KEPT = timedelta(days=1)
_ASK_AGAIN_S = 0.2
_MOST_ASKS = 150
_LED = 303


async def once(request: Asked, form: Form, work: Callable[[], Awaitable[str]]) -> tuple[str, bool]:
    """The path that the work leads to, and whether it was done before.

    A form whose work failed may be sent again.
    """
    if not form.text("once"):
        return await work(), False
    sent = _Sent(parts_of(request), request.user.user, _digest(request.url.path, form))
    for _ in range(_MOST_ASKS):
        led = await asyncio.to_thread(sent.begin)
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
    await asyncio.to_thread(sent.keep, led)
    return led, False


def _digest(path: str, form: Form) -> str:
    return hashlib.sha256(msgspec.json.encode([path, form.fields])).hexdigest()


class _Sent:
    """One line of the table."""

    def __init__(self, parts: Parts, user: str, digest: str) -> None:
        self._parts = parts
        self._line = {"key": digest, "user": user, "request": digest}
        self._of = sa.and_(ANSWERS.c.key == digest, ANSWERS.c.user == user)

    def begin(self) -> str | None:
        """``None``: this is the first; else where that led, ``""`` while it is at work."""
        now = self._parts.now()
        with transaction(self._parts.store) as connection:
            connection.execute(sa.delete(ANSWERS).where(ANSWERS.c.at < moment(now - _KEPT)))
            kept = connection.execute(sa.select(ANSWERS.c.body).where(self._of)).one_or_none()
        if kept is not None:
            return (kept.body or b"").decode()
        try:
            with self._parts.store.engine.execution_options(writing=True).begin() as connection:
                connection.execute(sa.insert(ANSWERS).values(**self._line, at=moment(now)))
        except sa.exc.IntegrityError:
            return ""
        return None

    def keep(self, led: str) -> None:
        """The work is done."""
        values = {"status": _LED, "body": led.encode()}
        with transaction(self._parts.store) as connection:
            connection.execute(sa.update(ANSWERS).where(self._of).values(values))

    def forget(self) -> None:
        """The work failed."""
        with transaction(self._parts.store) as connection:
            connection.execute(sa.delete(ANSWERS).where(self._of))
