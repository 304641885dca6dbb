"""Sign-in, by password or one-time link; sign-out; one's own password."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import anyio.to_thread
import msgspec
import sqlalchemy as sa
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromQuery, URLEncodedBody
from litestar.response import Redirect

from volact.client.wire import UserInfo
from volact.errors import InputError
from volact.model.error_text import error_text
from volact.model.text import Text, count, say
from volact.service.access import Actor, Permission, Via
from volact.service.app import Parts
from volact.service.caller import Asked, parts_of
from volact.service.console.page import page
from volact.service.database.transaction import transaction
from volact.service.identity import passwords, sessions
from volact.service.identity.audit import SYSTEM, Change, changing
from volact.service.identity.authenticator import address_of, cookie_name, is_secure
from volact.service.identity.users import find

_PUBLIC = {"permission": Permission.PUBLIC}
_OWN = {"permission": Permission.SIGNED_IN, "session": True}


class SignInForm(msgspec.Struct, frozen=True):
    """What the sign-in page sends."""

    name: str = ""
    password: str = ""
    next: str = "/"


class LinkForm(msgspec.Struct, frozen=True):
    """What the page of a one-time link sends."""

    key: str = ""


class PasswordForm(msgspec.Struct, frozen=True):
    """A password to set; ``old`` unless the session began with a link."""

    new: str = ""
    old: str = ""


def safe_next(path: str) -> str:
    """Where to go after sign-in: a path of this service, never another address."""
    local = path.startswith("/") and path.isprintable() and "\\" not in path
    return path if local and not path.startswith("//") else "/"


@get("/sign-in", opt=_PUBLIC, sync_to_thread=False)
def sign_in_page(request: Asked, next: FromQuery[str] = "/") -> Response[Any]:
    """The form; for a caller who is signed in, the page that was wanted."""
    if request.scope.get("user") is not None:
        return Redirect(safe_next(next), status_code=303)
    return sign_in_form(request, next)


@post("/sign-in", opt=_PUBLIC)
async def sign_in(request: Asked, data: URLEncodedBody[SignInForm]) -> Response[Any]:
    """Begin a session, or show the form again with the reason."""
    parts = parts_of(request)
    try:
        user = await anyio.to_thread.run_sync(
            passwords.sign_in, parts, data.name, data.password, address_of(request),
            limiter=passwords.HASHING,
        )  # fmt: skip
    except passwords.TooManyAttemptsError as error:
        answer = sign_in_form(request, data.next, _too_many(error), 429)
        answer.headers["retry-after"] = str(error.seconds)
        return answer
    if user is None:
        wrong = say("The user name or the password is wrong.")
        return sign_in_form(request, data.next, wrong, 401)
    return await begin_session(request, user, safe_next(data.next))


@get("/sign-in/link", opt=_PUBLIC, sync_to_thread=False)
def link_page(request: Asked, key: FromQuery[str] = "") -> Response[Any]:
    """A button: programs that only look at a link do not use it up."""
    return _page(request, "sign_in_link.html.j2", key=key)


@post("/sign-in/link", opt=_PUBLIC)
async def sign_in_by_link(request: Asked, data: URLEncodedBody[LinkForm]) -> Response[Any]:
    """Begin a session by a one-time link; a user without a password is asked for one."""
    parts = parts_of(request)

    def take() -> UserInfo:
        with transaction(parts.store) as connection:
            return sessions.take_link(connection, parts.now(), data.key)

    try:
        user = await anyio.to_thread.run_sync(take)
    except InputError as error:
        return sign_in_form(request, "/", error_text(error), 401)
    return await begin_session(request, user, "/account/password", "link")


@post("/sign-out", opt=_OWN, sync_to_thread=True)
def sign_out(request: Asked) -> Response[Any]:
    """End this session."""
    parts, actor = parts_of(request), request.user
    with changing(parts.store, parts.now(), actor) as change:
        sessions.end(change, actor.user, actor.session)
    return _to("/sign-in", _cookie(request, "", max_age=0))


@get("/account/password", opt=_OWN, sync_to_thread=True)
def password_page(request: Asked) -> Response[Any]:
    """The form for one's own password."""
    return _password_page(request)


@post("/account/password", opt=_OWN)
async def change_password(request: Asked, data: URLEncodedBody[PasswordForm]) -> Response[Any]:
    """Set one's own password; the other sessions end, and this one gets a new key."""
    limiter = passwords.HASHING
    return await anyio.to_thread.run_sync(_change_password, request, data, limiter=limiter)


def _change_password(request: Asked, data: PasswordForm) -> Response[Any]:
    parts, actor = parts_of(request), request.user
    try:
        if parts.store.ask(lambda connection: _asks_old(connection, actor)):
            _require_old(parts, actor, data.old)
        with changing(parts.store, parts.now(), actor) as change:
            passwords.set_password(parts.hasher, change, actor.user, data.new)
            sessions.end(change, actor.user)
            key = _new_session(request, change, find(change.connection, actor.user), "session")
    except InputError as error:
        return _password_page(request, error_text(error), 400)
    except passwords.TooManyAttemptsError as error:
        return _password_page(request, _too_many(error), 429)
    return _to("/", _cookie(request, key))


def _require_old(parts: Parts, actor: Actor, old: str) -> None:
    """With the waits of a sign-in: a browser that was left open guesses no password."""
    if not passwords.sign_in(parts, actor.name, old, actor.address):
        raise InputError(say("the present password is wrong"))


def _too_many(error: passwords.TooManyAttemptsError) -> Text:
    return count(
        error.seconds,
        "Too many failed attempts. Try again in {n} second.",
        "Too many failed attempts. Try again in {n} seconds.",
    )


def _password_page(request: Asked, message: Text | None = None, status: int = 200) -> Response[Any]:
    parts, actor = parts_of(request), request.user
    asks_old = parts.store.ask(lambda connection: _asks_old(connection, actor))
    return _page(
        request, "password.html.j2", message, status, asks_old=asks_old, shortest=passwords.SHORTEST
    )


def _asks_old(connection: sa.Connection, actor: Actor) -> bool:
    """Who came by a link has no password, or forgot it."""
    return actor.via != "link" and find(connection, actor.user).password


async def begin_session(
    request: Asked, user: UserInfo, next: str, via: Via = "session"
) -> Response[Any]:
    """A session with a key of its own; the one of the cookie that came ends."""
    parts = parts_of(request)

    def begin() -> str:
        before: Actor | None = request.scope.get("user")
        with changing(parts.store, parts.now(), before or SYSTEM) as change:
            if before is not None:
                sessions.end(change, before.user, before.session)
            return _new_session(request, change, user, via)

    return _to(next, _cookie(request, await anyio.to_thread.run_sync(begin)))


def _new_session(request: Asked, change: Change, user: UserInfo, via: Via) -> str:
    actor = sessions.signing_in(user, via, address_of(request))
    agent = request.headers.get("user-agent", "")
    oidc = parts_of(request).oidc
    # The provider, who knows of users that left, is asked again at the next sign-in alone.
    lasts = sessions.LASTS
    if oidc is not None and user.oidc:
        lasts = timedelta(hours=oidc.settings.session_hours)
    return sessions.begin(replace(change, actor=actor), user, agent, lasts)


def _cookie(request: Asked, key: str, max_age: int = int(sessions.LASTS.total_seconds())) -> Cookie:
    settings = parts_of(request).settings
    return Cookie(
        key=cookie_name(settings), value=key, max_age=max_age, path="/",
        httponly=True, samesite="lax", secure=is_secure(settings),
    )  # fmt: skip


def _to(path: str, cookie: Cookie) -> Response[Any]:
    return Redirect(path, status_code=303, cookies=[cookie])


def _page(
    request: Asked, template: str, message: Text | None = None, code: int = 200, **values: Any
) -> Response[str]:
    return page(request, template, code=code, message=message, **values)


def sign_in_form(
    request: Asked, next: str, message: Text | None = None, code: int = 200
) -> Response[str]:
    """The sign-in page, with what went wrong before."""
    oidc = parts_of(request).oidc
    name = oidc.settings.name if oidc is not None else ""
    return _page(request, "sign_in.html.j2", message, code, next=safe_next(next), oidc=name)


HANDLERS = [
    sign_in_page, sign_in, link_page, sign_in_by_link, sign_out, password_page, change_password,
]  # fmt: skip
