"""Who calls: the session of a cookie, or an API token."""

from __future__ import annotations

from collections.abc import Callable, Set
from datetime import datetime
from types import ModuleType
from typing import Any

from litestar.exceptions import NotAuthorizedException

from volact.service.access import Actor
from volact.service.app import Connection
from volact.service.database.transaction import transaction
from volact.service.identity import sessions, tokens
from volact.service.identity.keys import key_hash
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
        self._shared = SharedAnswers(store, now)
        self._touching = SharedAnswers()

    async def actor_of(self, connection: Connection, *, in_use: bool = True) -> Actor | None:
        """See ``app.Authenticator``."""
        address = address_of(connection)
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            actor = await self._find(tokens, token.strip(), address, in_use)
            if actor is None:
                raise NotAuthorizedException("this token is not valid")
            return actor
        key = connection.cookies.get(self._cookie, "")
        return await self._find(sessions, key, address, in_use) if key else None

    async def _find(self, kind: ModuleType, key: str, address: str, in_use: bool) -> Actor | None:
        hash = key_hash(key)
        row = await self._shared.look_up(kind, hash, lambda hashes: self._rows(kind, hashes))
        if row is None:
            return None
        if in_use and kind.is_stale(row, self._now()):
            await self._touching.ask((kind, hash), lambda: self._touch(kind, row))
        actor: Actor = kind.actor_of(row, address)
        return actor

    def _rows(self, kind: ModuleType, hashes: Set[str]) -> dict[str, Any]:
        found: dict[str, Any]
        found = self._store.ask(lambda connection: kind.find(connection, self._now(), hashes))
        return found

    def _touch(self, kind: ModuleType, row: Any) -> None:
        with transaction(self._store) as connection:
            kind.touch(connection, self._now(), row)
