"""Sign-in by an OpenID Connect provider: there and back again with one cookie."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote, unquote

import anyio.to_thread
from litestar import Response, get
from litestar.datastructures import Cookie
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery
from litestar.response import Redirect

from volact.client.wire import UserInfo
from volact.errors import InputError, one_line
from volact.model.error_text import error_text
from volact.model.text import say
from volact.service.access import Permission
from volact.service.app import Parts
from volact.service.caller import Asked, parts_of
from volact.service.identity import oidc
from volact.service.identity.audit import SYSTEM, changing
from volact.service.identity.authenticator import is_secure
from volact.service.identity.keys import new_key
from volact.service.identity.oidc_users import signed_in
from volact.service.identity.pages import begin_session, safe_next, sign_in_form

_LOG = logging.getLogger(__name__)
_PUBLIC = {"permission": Permission.PUBLIC}
_COOKIE = "volact_oidc"
_LASTS_S = 600


@get("/oidc/start", opt=_PUBLIC)
async def start(request: Asked, next: FromQuery[str] = "/") -> Response[Any]:
    """Send the browser to the provider."""
    key = new_key()
    try:
        url = await _provider(request).authorization_url(key)
    except oidc.OidcError as error:
        return _failed(request, error, 502)
    held = _cookie(request, f"{key}.{quote(safe_next(next), safe='')}", _LASTS_S)
    return Redirect(url, status_code=303, cookies=[held])


@get("/oidc/callback", opt=_PUBLIC)
async def callback(request: Asked) -> Response[Any]:
    """Begin a session for the user whom the provider sent back."""
    provider, parts = _provider(request), parts_of(request)
    code, state, error = (request.query_params.get(name, "") for name in ("code", "state", "error"))
    key, _, next = request.cookies.get(_COOKIE, "").partition(".")
    if error or not key:
        refused = say("the identity provider did not sign you in: {why}", why=one_line(error, 80))
        # The words are for the log alone: they may be from a link of a stranger.
        told = one_line(request.query_params.get("error_description", ""), 300)
        return _failed(request, oidc.OidcError(refused), 401, told)
    try:
        claims = await provider.claims(key, state, code)
        user = await anyio.to_thread.run_sync(_user, parts, provider, claims)
    except (oidc.OidcError, InputError) as failure:
        return _failed(request, failure, 401)
    answer = await begin_session(request, user, safe_next(unquote(next)))
    answer.set_cookie(_cookie(request, "", 0))
    return answer


def _user(parts: Parts, provider: oidc.OidcProvider, claims: dict[str, Any]) -> UserInfo:
    with changing(parts.store, parts.now(), SYSTEM) as change:
        return signed_in(change, provider.settings, claims)


def _failed(
    request: Asked, error: oidc.OidcError | InputError, code: int, told: str = ""
) -> Response[Any]:
    cause = error.__cause__
    told = told if cause is None else repr(cause)
    _LOG.warning("oidc: %s", f"{error.line()}: {told}" if told else error.line())
    return sign_in_form(request, "/", error_text(error), code)


def _provider(request: Asked) -> oidc.OidcProvider:
    provider = parts_of(request).oidc
    if provider is None:
        raise NotFoundException
    return provider


def _cookie(request: Asked, value: str, max_age: int) -> Cookie:
    # Lax: the provider's page sends the browser back, and the cookie has to come along.
    return Cookie(
        key=_COOKIE, value=value, max_age=max_age, path="/oidc", httponly=True,
        samesite="lax", secure=is_secure(parts_of(request).settings),
    )  # fmt: skip


HANDLERS = [start, callback]
