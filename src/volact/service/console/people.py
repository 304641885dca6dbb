"""Users, one's own account, and the audit."""

from __future__ import annotations

import asyncio
from typing import Any, get_args

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from volact.client.wire import NewToken, NewUser, Role, UserChange, UserInfo
from volact.errors import InputError
from volact.model.error_text import error_text
from volact.model.text import say
from volact.service.access import Permission, capped_role
from volact.service.caller import Asked, alter_user, parts_of
from volact.service.console.changing import (
    change,
    changed,
    check_mark,
    mark_of,
    saved,
)
from volact.service.console.once import once
from volact.service.console.page import Form, HtmlPage, RefusedForm, form_of, go_to, page
from volact.service.console.typed_words import typed, words_of
from volact.service.identity import audit, sessions, tokens, users
from volact.service.identity.audit import Change
from volact.service.settings import base_url
from volact.words import LANGUAGES

_OWN = {"permission": Permission.SIGNED_IN, "session": True}
_ADMIN = {"permission": Permission.ADMINISTER}
_GIVES = _ADMIN | {"session": True}
_LINES = 100
_SCOPES = ("scopes", "whole")


@get("/account", opt=_OWN, sync_to_thread=True)
def account(request: Asked) -> HtmlPage:
    """The caller's own sessions, tokens and language."""
    return _account(request)


def _account(
    request: Asked, key: str = "", *, made_before: bool = False, refused: RefusedForm | None = None
) -> HtmlPage:
    parts, actor = parts_of(request), request.user
    with parts.store.snapshot() as snapshot:
        return page(
            request,
            "account.html.j2",
            code=refused.code if refused else 200,
            problem=refused and refused.problem,
            draft=(refused and refused.form) or Form({"days": ["90"]}),
            key=key,
            made_before=made_before,
            languages=LANGUAGES,
            roles=[role for role in get_args(Role) if capped_role(actor.role, role) == role],
            sessions=snapshot.ask(
                lambda it: sessions.sessions(it, parts.now(), actor.user, actor.session)
            ),
            tokens=snapshot.ask(lambda it: tokens.tokens(it, actor.user)),
        )


@post("/account/language", opt=_OWN)
async def set_language(request: Asked) -> Response[Any]:
    """The language of the pages."""

    def work(change: Change, form: Form) -> None:
        users.alter(change, change.actor.user, UserChange(language=form.text("language")))

    await changed(request, work)
    return go_to("/account")


@post("/account/sessions/end", opt=_OWN)
async def end_session(request: Asked) -> Response[Any]:
    """End one of one's own sessions, or all."""
    await changed(request, lambda change, form: sessions.end(
        change, change.actor.user, form.text("session")
    ))  # fmt: skip
    return go_to("/account")


@post("/account/tokens", opt=_OWN)
async def make_token(request: Asked) -> Response[Any]:
    """A new token; its key is shown on this page once."""

    form, key = await form_of(request), ""

    def make(change: Change) -> str:
        role, days = users.checked_role(form.text("role")), form.text("days")
        if not days.isascii() or not days.isdigit() or len(days) > 5:
            raise InputError(say("{text} is no number of days", text=days[:20]))
        return tokens.make(change, NewToken(name=form.text("name"), role=role, days=int(days)))[1]

    async def work() -> str:
        nonlocal key
        key = await change(request, make)
        return "/account"

    try:
        _, made_before = await once(request, form, work)
    except InputError as error:
        refused = RefusedForm(problem=error_text(error), form=form)
        return await asyncio.to_thread(_account, request, refused=refused)
    return await asyncio.to_thread(_account, request, key, made_before=made_before)


@post("/account/tokens/revoke", opt=_OWN)
async def revoke_token(request: Asked) -> Response[Any]:
    """A token ends at once."""
    await changed(request, lambda change, form: tokens.revoke(
        change, form.text("token"), change.actor.user
    ))  # fmt: skip
    return go_to("/account")


@get("/users", opt=_ADMIN, sync_to_thread=True)
def all_users(request: Asked) -> HtmlPage:
    """Who may sign in, and as what."""
    return _users(request)


def _users(request: Asked, refused: RefusedForm | None = None) -> HtmlPage:
    return page(
        request,
        "users.html.j2",
        refused=refused,
        draft=(refused and refused.form) or Form({}),
        users=parts_of(request).store.ask(users.users),
        roles=get_args(Role),
    )


@post("/users", opt=_GIVES)
async def add_user(request: Asked) -> Response[Any]:
    """A new user; the next page has the button for the sign-in link."""

    def work(change: Change, form: Form) -> str:
        role, scopes = users.checked_role(form.text("role")), _scopes(form)
        if scopes == ():
            raise InputError(say("write scopes, or choose the whole fleet"))
        new = NewUser(name=form.text("name"), role=role, scopes=scopes, email=form.text("email"))
        return f"/users/{users.add(change, new).id}"

    return await saved(request, work, lambda refused: _users(request, refused))


def _scopes(form: Form) -> tuple[str, ...] | None:
    """None of them is no server; the whole fleet is chosen by its box alone."""
    words = words_of(form.text("scopes"))
    if words and form.text("whole"):
        raise InputError(say("choose the whole fleet or write scopes, not both"))
    return None if form.text("whole") else words


@get("/users/{id:str}", opt=_ADMIN, sync_to_thread=True)
def user(request: Asked, id: FromPath[str]) -> HtmlPage:
    """One user."""
    return _user(request, id)


def _user(request: Asked, id: str, link: str = "", refused: RefusedForm | None = None) -> HtmlPage:
    parts = parts_of(request)
    with parts.store.snapshot() as snapshot:
        found = snapshot.ask(lambda it: users.find(it, id))
        return page(
            request,
            "user.html.j2",
            code=refused.code if refused else 200,
            problem=refused and refused.problem,
            draft=(refused and refused.form) or _shown(found),
            mark=mark_of(_given(found)),
            user=found,
            link=link,
            roles=get_args(Role),
            sessions=snapshot.ask(lambda it: sessions.sessions(it, parts.now(), found.id)),
            tokens=snapshot.ask(lambda it: tokens.tokens(it, found.id)),
        )


def _shown(found: UserInfo) -> Form:
    """A user's rights as the form shows them."""
    return Form({
        "role": [found.role],
        "scopes": [typed(found.scopes or ())],
        "whole": ["1"] if found.scopes is None else [],
        "disabled": ["1"] if found.disabled else [],
    })  # fmt: skip


def _given(found: UserInfo) -> UserChange:
    """What the form of a user saves."""
    return UserChange(role=found.role, scopes=found.scopes, disabled=found.disabled)


@post("/users/{id:str}", opt=_ADMIN)
async def change_user(request: Asked, id: FromPath[str]) -> Response[Any]:
    """Another role, other scopes, disabled or not."""

    def work(change: Change, form: Form) -> str:
        users.lock_users(change)
        before = users.find(change.connection, id)
        to = UserChange(
            role=users.checked_role(form.text("role")),
            scopes=_scopes(form) if form.differs(_shown(before), *_SCOPES) else before.scopes,
            disabled=bool(form.text("disabled")),
        )
        alter_user(change, id, to)  # refuses the caller first
        check_mark(form, _given(before))
        return f"/users/{id}"

    return await saved(request, work, lambda refused: _user(request, id, refused=refused))


@post("/users/{id:str}/link", opt=_GIVES)
async def sign_in_link(request: Asked, id: FromPath[str]) -> Response[Any]:
    """A link that signs the user in once; shown on this page once."""
    key = await changed(
        request, lambda change, _: sessions.make_link(change, users.find(change.connection, id))
    )
    link = sessions.link_url(base_url(parts_of(request).settings), key)
    return await asyncio.to_thread(_user, request, id, link)


@post("/users/{id:str}/sign-out", opt=_ADMIN)
async def sign_user_out(request: Asked, id: FromPath[str]) -> Response[Any]:
    """End all sessions of a user."""
    await changed(request, lambda change, _: sessions.end(
        change, users.find(change.connection, id).id
    ))  # fmt: skip
    return go_to(f"/users/{id}")


@post("/users/{id:str}/remove", opt=_ADMIN)
async def remove_user(request: Asked, id: FromPath[str]) -> Response[Any]:
    """Delete a user."""
    await changed(request, lambda change, _: users.remove(change, id))
    return go_to("/users")


@get("/audit", opt=_ADMIN, sync_to_thread=True)
def audit_page(request: Asked) -> HtmlPage:
    """Who did what, the newest first, and whether the chain is whole."""
    asked = request.query_params
    before = str(asked.get("before", ""))
    filter = {"user": str(asked.get("user", "")), "action": str(asked.get("action", ""))}
    at = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else 0
    with parts_of(request).store.snapshot() as snapshot:
        lines = snapshot.ask(lambda it: audit.lines(it, before=at, limit=_LINES + 1, **filter))
        check = snapshot.ask(audit.verify) if asked.get("check") else None
    return page(
        request,
        "audit.html.j2",
        lines=lines[:_LINES],
        next=lines[_LINES - 1].position if len(lines) > _LINES else 0,
        filter=filter,
        check=check,
    )


@get("/audit/export", opt=_ADMIN, sync_to_thread=False)
def export_audit(request: Asked) -> Stream:
    """All lines, the oldest first, a line of JSON each."""
    return Stream(
        audit.exported(parts_of(request).store),
        media_type="application/x-ndjson",
        headers={"content-disposition": 'attachment; filename="audit.ndjson"'},
    )


HANDLERS = (
    account, set_language, end_session, make_token, revoke_token, all_users, add_user, user,
    change_user, sign_in_link, sign_user_out, remove_user, audit_page, export_audit,
)  # fmt: skip
