"""The web application: handlers of console and API behind one point of enforcement.

What the handlers do lives in ``api/`` and ``console/``; who the caller is, in ``identity/``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from argon2 import PasswordHasher
from litestar import Litestar, Router
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.middleware.base import DefineMiddleware
from litestar.types import ControllerRouterHandler, Message, Send

from volact.service.access import Actor, Permission
from volact.service.engine.control import EngineControl
from volact.service.observe import Observer
from volact.service.run_feed import RunFeeds
from volact.service.settings import ServiceSettings
from volact.service.shared import SharedAnswers
from volact.store.store import Store

if TYPE_CHECKING:
    from volact.service.identity.oidc import OidcProvider

Connection = ASGIConnection[Any, Any, Any, Any]


class Authenticator(Protocol):
    """Says who calls."""

    async def actor_of(self, connection: Connection, *, in_use: bool = True) -> Actor | None:
        """The caller, by session cookie or token; ``None`` for one who is not signed in.

        ``NotAuthorizedException`` for a token that is wrong, ended or too old.  ``in_use=False``
        asks without keeping the session from ending idle.
        """


def utc_now() -> datetime:
    """The time; handlers take it from the parts, so that a test can give another."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What handlers work with; ``request.app.state.parts``."""

    settings: ServiceSettings
    store: Store  # its engine reaches the service's tables, too
    authenticator: Authenticator
    runs: EngineControl
    now: Callable[[], datetime] = utc_now
    oidc: OidcProvider | None = None
    # RFC 9106's second choice: 64 MiB, 3 passes.
    hasher: PasswordHasher = field(default_factory=PasswordHasher)

    @cached_property
    def shared(self) -> SharedAnswers:
        """Answers that callers share."""
        return SharedAnswers(self.store, self.now)

    @cached_property
    def feeds(self) -> RunFeeds:
        """The progress of runs: one poller a run, for API and console."""
        return RunFeeds(self.store)


class _Authentication(AbstractAuthenticationMiddleware):
    async def authenticate_request(self, connection: Connection) -> AuthenticationResult:
        parts: Parts = connection.app.state.parts
        actor = await parts.authenticator.actor_of(connection)
        return AuthenticationResult(user=actor, auth=None)


BY_SESSION = "this needs a browser's session, not a token"


async def enforce(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let a request pass whose caller has the permission that its route names.

    A route that names none refuses every request: forgetting it cannot open a door.  One with
    ``session`` in ``opt`` takes no token.
    """
    permission = handler.opt.get("permission")
    if permission is Permission.PUBLIC:
        return
    actor: Actor | None = connection.scope.get("user")
    if actor is None:
        raise NotAuthorizedException("sign in first")
    if not isinstance(permission, Permission) or not actor.may(permission):
        raise PermissionDeniedException("your role or your scopes do not allow this")
    if actor.via == "token" and handler.opt.get("session"):
        raise PermissionDeniedException(BY_SESSION)


class _Application(Litestar):
    """Answers HEAD as GET without the body: probes and load balancers ask so."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See ``Litestar``."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _head(send)
        await super().__call__(scope, receive, send)


def _head(send: Send) -> Send:
    ended = False

    async def only_head(message: Message) -> None:
        nonlocal ended
        if message["type"] == "http.response.start":
            await send(message)
        elif not ended:  # a stream ends, too
            ended = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return only_head


def make_app(
    parts: Parts,
    handlers: Sequence[ControllerRouterHandler],
    *,
    middleware: Iterable[Any] = (),
    guards: Sequence[Callable[[Connection, BaseRouteHandler], Awaitable[None]]] = (),
    **settings: Any,
) -> Litestar:
    """The application.

    Args:
        parts: what handlers work with.
        handlers: routes, controllers and routers; each names its ``permission`` in ``opt``.
        middleware: inside of authentication.
        guards: after ``enforce``.
        settings: further settings of ``Litestar``.
    """

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        # One for all: Litestar copies the handler for each, and runs one in a thread that
        # is not ``async``.
        await enforce(connection, handler)
        for more in guards:
            await more(connection, handler)

    return _Application(
        # In one router: Litestar 2.25 wraps a handler with ``sync_to_thread`` once more for every
        # other method that is registered on its path later.
        route_handlers=[Router("/", route_handlers=[*handlers])],
        guards=[guard],
        middleware=[Observer(), DefineMiddleware(_Authentication), *middleware],
        state=State({"parts": parts, "handlers": handlers}),
        openapi_config=None,
        logging_config=None,
        **settings,
    )
