"""What is done once is one line in the table of answers: the API's keys and the console's forms.

A line stands from the first request on, and is kept for a day with the answer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from volact.service.app import Parts
from volact.service.database.tables import ANSWERS
from volact.service.database.transaction import transaction
from volact.store.clock import moment
from volact.store.engine import writing

_KEPT = timedelta(days=1)


class KeptAnswer:
    """One line of the table: a user's request with its key."""

    def __init__(self, parts: Parts, key: str, user: str, request: str) -> None:
        self._parts = parts
        self._line = {"key": key, "user": user, "request": request}
        self._of = sa.and_(ANSWERS.c.key == key, ANSWERS.c.user == user)

    def begin(self) -> bool:
        """Whether this is the first; what is older than a day is forgotten."""
        now = self._parts.now()
        with transaction(self._parts.store) as connection:
            connection.execute(sa.delete(ANSWERS).where(ANSWERS.c.at < moment(now - _KEPT)))
        try:
            with writing(self._parts.store.engine).begin() as connection:
                connection.execute(sa.insert(ANSWERS).values(**self._line, at=moment(now)))
        except sa.exc.IntegrityError:
            return False
        return True

    def row(self) -> Any | None:
        """``request``, ``status`` and ``body``; the latter two are ``None`` while it is at work."""
        query = sa.select(ANSWERS.c.request, ANSWERS.c.status, ANSWERS.c.body).where(self._of)
        return self._parts.store.ask(lambda connection: connection.execute(query).one_or_none())

    def keep(self, status: int, body: bytes) -> None:
        """The request is answered."""
        with transaction(self._parts.store) as connection:
            kept = {"status": status, "body": body}
            connection.execute(sa.update(ANSWERS).where(self._of).values(kept))

    def forget(self) -> None:
        """It failed, and may be repeated."""
        with transaction(self._parts.store) as connection:
            connection.execute(sa.delete(ANSWERS).where(self._of))
