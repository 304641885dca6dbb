"""``/users``, the caller's own sessions and tokens, and ``/audit``."""

from __future__ import annotations

from typing import Annotated

import anyio.to_thread
from litestar import delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Stream

from volact.client.answers import (
    AuditPage,
    MadeToken,
    NewPassword,
    OwnChange,
    SessionList,
    SignInLink,
    TokenList,
    UserList,
)
from volact.client.wire import AuditCheck, NewToken, NewUser, UserChange, UserInfo
from volact.queries.pages import PageRequest, decode, encode
from volact.service.access import Permission
from volact.service.api.asked import Id, found, paged, plain_name
from volact.service.caller import Asked, alter_user, changed, parts_of
from volact.service.identity import audit, passwords, sessions, tokens, users
from volact.service.identity.audit import Change
from volact.service.settings import base_url

_ADMIN = {"permission": Permission.ADMINISTER}
_GIVES = _ADMIN | {"session": True}  # a token that was stolen would last by it
_OWN = {"permission": Permission.SIGNED_IN, "session": True}
_SECRET = {"secret": True}  # no answer is kept for an ``Idempotency-Key``
UserId = Annotated[str, PathParameter(description="A user's id or name.", max_length=255)]
AuditWord = Annotated[str, QueryParameter(max_length=255)]


def _user(request: Asked, user: str) -> UserInfo:
    return found(lambda: parts_of(request).store.ask(lambda it: users.find(it, plain_name(user))))


def _sessions(request: Asked, user: str) -> SessionList:
    parts, own = parts_of(request), request.user.session
    items = parts.store.ask(lambda it: sessions.sessions(it, parts.now(), user, own))
    return SessionList(items=tuple(items))


def _end(request: Asked, user: str, session: str = "") -> None:
    if not changed(request, lambda change: sessions.end(change, user, session)) and session:
        raise NotFoundException("there is no such session")


def _tokens(request: Asked, user: str) -> TokenList:
    items = parts_of(request).store.ask(lambda it: tokens.tokens(it, user))
    return TokenList(items=tuple(items))


def _revoke(request: Asked, user: str, token: str) -> None:
    found(lambda: changed(request, lambda change: tokens.revoke(change, token, user)))


@get("/users", opt=_ADMIN, sync_to_thread=True, tags=["users"])
def list_users(request: Asked) -> UserList:
    """Who may sign in, and as what, by name."""
    return UserList(items=tuple(parts_of(request).store.ask(users.users)))


@get("/users/{user:str}", opt=_ADMIN, sync_to_thread=True, tags=["users"])
def read_user(request: Asked, user: UserId) -> UserInfo:
    """One user."""
    return _user(request, user)


@post("/users", opt=_GIVES, sync_to_thread=True, tags=["users"])
def add_user(request: Asked, data: JSONBody[NewUser]) -> UserInfo:
    """Add a user, who signs in first by a link; not by a token."""
    return changed(request, lambda change: users.add(change, data))


@patch("/users/{user:str}", opt=_ADMIN, sync_to_thread=True, tags=["users"])
def change_user(request: Asked, user: UserId, data: JSONBody[UserChange]) -> UserInfo:
    """Change a user; what is left out stays. One who is disabled is signed out.

    A token gives no rights: another role that may more, more scopes, and the end of `disabled`
    need the session of a browser.
    """
    id = _user(request, user).id
    return changed(request, lambda change: alter_user(change, id, data))


@delete("/users/{user:str}", opt=_ADMIN, sync_to_thread=True, tags=["users"])
def remove_user(request: Asked, user: UserId) -> None:
    """Remove a user with sessions and tokens; the audit keeps the name."""
    id = _user(request, user).id
    changed(request, lambda change: users.remove(change, id))


@post("/users/{user:str}/link", opt=_GIVES | _SECRET, sync_to_thread=True, tags=["users"])
def make_link(request: Asked, user: UserId) -> SignInLink:
    """Make a link that signs the user in once, within a day; not by a token.

    It is not shown again.
    """
    info = _user(request, user)
    key = changed(request, lambda change: sessions.make_link(change, info))
    return SignInLink(url=sessions.link_url(base_url(parts_of(request).settings), key))


@put("/users/{user:str}/password", opt=_GIVES | _SECRET, status_code=204, tags=["users"])
async def set_password(request: Asked, user: UserId, data: JSONBody[NewPassword]) -> None:
    """Set a user's password; the user's sessions end. Not by a token."""

    def work(change: Change) -> None:
        id = found(lambda: users.find(change.connection, plain_name(user))).id
        passwords.set_password(parts_of(request).hasher, change, id, data.password)
        sessions.end(change, id)

    await anyio.to_thread.run_sync(changed, request, work, limiter=passwords.HASHING)


@get("/users/{user:str}/sessions", opt=_ADMIN, sync_to_thread=True, tags=["users"])
def user_sessions(request: Asked, user: UserId) -> SessionList:
    """A user's sessions, the latest used first."""
    return _sessions(request, _user(request, user).id)


@delete("/users/{user:str}/sessions", opt=_ADMIN, sync_to_thread=True, tags=["users"])
def end_user_sessions(request: Asked, user: UserId) -> None:
    """End all sessions of a user."""
    _end(request, _user(request, user).id)


@get("/users/{user:str}/tokens", opt=_ADMIN, sync_to_thread=True, tags=["users"])
def user_tokens(request: Asked, user: UserId) -> TokenList:
    """A user's tokens, the newest first."""
    return _tokens(request, _user(request, user).id)


@delete("/users/{user:str}/tokens/{token:str}", opt=_ADMIN, sync_to_thread=True, tags=["users"])
def revoke_user_token(request: Asked, user: UserId, token: Id) -> None:
    """Revoke a token of a user; it ends at once."""
    _revoke(request, _user(request, user).id, token)


@patch("/me", opt=_OWN, sync_to_thread=True, tags=["me"])
def change_me(request: Asked, data: JSONBody[OwnChange]) -> UserInfo:
    """Choose the language that the caller reads."""
    to = UserChange(language=data.language)
    return changed(request, lambda change: users.alter(change, change.actor.user, to))


@get("/me/sessions", opt=_OWN, sync_to_thread=True, tags=["me"])
def own_sessions(request: Asked) -> SessionList:
    """The caller's sessions, the latest used first."""
    return _sessions(request, request.user.user)


@delete("/me/sessions", opt=_OWN, sync_to_thread=True, tags=["me"])
def end_own_sessions(request: Asked) -> None:
    """End all sessions of the caller, this one as well."""
    _end(request, request.user.user)


@delete("/me/sessions/{session:str}", opt=_OWN, sync_to_thread=True, tags=["me"])
def end_own_session(request: Asked, session: Id) -> None:
    """End one session of the caller."""
    _end(request, request.user.user, session)


@get("/me/tokens", opt=_OWN, sync_to_thread=True, tags=["me"])
def own_tokens(request: Asked) -> TokenList:
    """The caller's tokens, the newest first."""
    return _tokens(request, request.user.user)


@post("/me/tokens", opt=_OWN | _SECRET, sync_to_thread=True, tags=["me"])
def make_token(request: Asked, data: JSONBody[NewToken]) -> MadeToken:
    """Make a token of the caller; its key is not shown again."""
    token, key = changed(request, lambda change: tokens.make(change, data))
    return MadeToken(token=token, key=key)


@delete("/me/tokens/{token:str}", opt=_OWN, sync_to_thread=True, tags=["me"])
def revoke_own_token(request: Asked, token: Id) -> None:
    """Revoke a token of the caller; it ends at once."""
    _revoke(request, request.user.user, token)


@get("/audit", opt=_ADMIN, sync_to_thread=True, tags=["audit"])
def audit_lines(
    request: Asked, page: NamedDependency[PageRequest], user: AuditWord = "", action: AuditWord = ""
) -> AuditPage:
    """Who did what, the newest first; of one user's name or one action, if given."""
    before = paged(lambda: decode(page.cursor, [int])[0]) if page.cursor else 0
    lines = parts_of(request).store.ask(
        lambda it: audit.lines(it, before=before, limit=page.limit + 1, user=user, action=action)
    )
    shown = lines[: page.limit]
    more = encode([shown[-1].position]) if len(lines) > page.limit else ""
    return AuditPage(items=tuple(shown), next=more)


@get("/audit/check", opt=_ADMIN, sync_to_thread=True, tags=["audit"])
def check_audit(request: Asked) -> AuditCheck:
    """Follow the chain of the audit from its first line to its last."""
    return parts_of(request).store.ask(audit.verify)


@get(
    "/audit/export",
    opt=_ADMIN,
    sync_to_thread=False,
    media_type="application/x-ndjson",
    tags=["audit"],
)
def export_audit(request: Asked) -> Stream:
    """Every line of the audit, the oldest first, as JSON Lines."""
    return Stream(audit.exported(parts_of(request).store))


HANDLERS = [
    list_users, read_user, add_user, change_user, remove_user, make_link, set_password,
    user_sessions, end_user_sessions, user_tokens, revoke_user_token,
    change_me, own_sessions, end_own_sessions, end_own_session,
    own_tokens, make_token, revoke_own_token,
    audit_lines, check_audit, export_audit,
]  # fmt: skip
