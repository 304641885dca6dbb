"""Who calls: the session of a cookie, or an API token."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from litestar.exceptions import NotAuthorizedException

from volact.service.access import Actor
from volact.service.app import Connection
from volact.service.database.transaction import transaction
from volact.service.identity import sessions, tokens
from volact.service.settings import ServiceSettings
from volact.service.shared import SharedAnswers
from volact.store.store import Store


def is_secure(settings: ServiceSettings) -> bool:
    """Whether browsers reach the service by TLS."""
    return settings.tls is not None or settings.public_url.startswith("https://")


def cookie_name(settings: ServiceSettings) -> str:
    """``__Host-``: browsers take it by TLS, for this host and no other alone."""
    return "__Host-volact" if is_secure(settings) else "volact"


def address_of(connection: Connection) -> str:
    """The caller's address; behind a trusted proxy uvicorn put it there."""
    return connection.client.host if connection.client else ""


class DatabaseAuthenticator:
    """Looks callers up in the service's tables."""

    def __init__(
        self, store: Store, settings: ServiceSettings, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._cookie = cookie_name(settings)
        self._now = now
        self._shared = SharedAnswers()

    async def actor_of(self, connection: Connection) -> Actor | None:
        """See ``app.Authenticator``."""
        address = address_of(connection)
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            actor = await self._find(tokens, token.strip(), address)
            if actor is None:
                raise NotAuthorizedException("this token is not valid")
            return actor
        key = connection.cookies.get(self._cookie, "")
        return await self._find(sessions, key, address) if key else None

    async def _find(self, kind: ModuleType, key: str, address: str) -> Actor | None:
        row = await self._shared.ask((kind, key), lambda: self._row(kind, key))
        return None if row is None else kind.actor_of(row, address)

    def _row(self, kind: ModuleType, key: str) -> sa.Row[Any] | None:
        now = self._now()
        row: sa.Row[Any] | None
        row = self._store.ask(lambda connection: kind.find(connection, now, key))
        if row is not None and kind.is_stale(row, now):
            with transaction(self._store) as connection:
                kind.touch(connection, now, row)
        return row
