"""Sign-in by an OpenID Connect provider: authorization code with PKCE.

Nothing is stored between the two requests: state, nonce and PKCE's verifier are hashes of a
random key that only the browser's cookie has.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import tomllib
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote_plus, urlencode

import httpx
import msgspec
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from volact.bounded.files import read_named
from volact.client.address import address_parts
from volact.client.wire import Role
from volact.errors import InputError, VolactError, one_line, unreadable
from volact.model.text import raw, say

_TIMEOUT_S = 10.0
_MOST_BYTES = 1024 * 1024  # of an answer
_LEEWAY_S = 60
_SCOPE, _GROUPS = "openid profile email", "groups"
_BASIC = "client_secret_basic"
# None that a client's secret could sign: who knows it is not the provider.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
_UNREADABLE = (httpx.HTTPError, TimeoutError, LookupError, ValueError)


class OidcSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True
):
    """The file that ``--oidc`` names.

    Attributes:
        issuer: of the provider; ``/.well-known/openid-configuration`` is below it.
        client_secret_file: where the secret is read; without one, PKCE alone proves the client.
        name: what the button of the sign-in page says.
        scope: ``None``: what every provider takes, and ``groups`` where the provider offers it.
        roles: the role of each group; of several, the first that is written counts.
        default_role: for users in none of these groups; ``None``: they are not let in.
        session_hours: from the sign-in to the end of a session of a user of the provider.
    """

    issuer: str
    client_id: str
    client_secret_file: Path | None = None
    name: str = "OpenID Connect"
    scope: str | None = None
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"
    roles: dict[str, Role] = {}
    default_role: Role | None = None
    session_hours: Annotated[int, msgspec.Meta(ge=1, le=168)] = 12


class OidcError(VolactError):
    """The provider's answer is not to be trusted, or there is none; the log has the reason."""


def load_oidc(path: Path) -> OidcSettings:
    """Read the file of settings; ``InputError`` for one that is wrong."""
    try:
        document = tomllib.loads(read_named(path).decode())
        settings = msgspec.convert(document, OidcSettings)
    except OSError as error:
        raise unreadable(error, path) from error
    except ValueError as error:  # msgspec's are among them
        raise InputError(raw(one_line(str(error))), where=str(path)) from error
    try:
        parts = address_parts(settings.issuer)
    except InputError as error:
        raise InputError(error.message, where=str(path)) from error
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise InputError(say("the issuer's address begins with https://"), where=str(path))
    return settings


def derived(key: str, use: str) -> str:
    """State, nonce or verifier of a browser's key."""
    digest = hashlib.sha256(f"volact {use} {key}".encode()).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


class OidcProvider:
    """The provider: where it is asked, and what it says."""

    def __init__(self, settings: OidcSettings, redirect_uri: str) -> None:
        self.settings = settings
        self._redirect_uri = redirect_uri

    async def authorization_url(self, key: str) -> str:
        """Where the browser goes to sign in."""
        async with self._client() as client:
            metadata = await self._metadata(client)
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._scope(metadata),
            "state": derived(key, "state"),
            "nonce": derived(key, "nonce"),
            "code_challenge": create_s256_code_challenge(derived(key, "verifier")),
            "code_challenge_method": "S256",
        }
        endpoint = str(metadata["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def _scope(self, metadata: dict[str, Any]) -> str:
        # A scope that a provider does not know ends the sign-in with some (AADSTS650053).
        offered = _GROUPS in (metadata.get("scopes_supported") or ())
        return self.settings.scope or (f"{_SCOPE} {_GROUPS}" if offered else _SCOPE)

    async def claims(self, key: str, state: str, code: str) -> dict[str, Any]:
        """What the provider says of the user whom it sent back; ``OidcError`` for anything else."""
        if not hmac.compare_digest(state.encode(), derived(key, "state").encode()):
            raise OidcError(say("this answer belongs to another sign-in"))
        try:
            async with self._client() as client:
                metadata = await self._metadata(client)
                token = await self._token(client, metadata, key, code)
                keys = await _answer(client, "GET", str(metadata["jwks_uri"]))
                claims = self._checked(metadata, keys, token, derived(key, "nonce"))
                return await self._completed(client, metadata, token, claims)
        except (*_UNREADABLE, JoseError, TypeError) as error:
            raise _not_trusted(error) from error

    async def _metadata(self, client: httpx.AsyncClient) -> dict[str, Any]:
        url = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            metadata = await _answer(client, "GET", url)
            if metadata["issuer"] != self.settings.issuer:
                raise ValueError("another issuer")
        except _UNREADABLE as error:
            raise _not_trusted(error) from error
        return metadata

    async def _token(
        self, client: httpx.AsyncClient, metadata: dict[str, Any], key: str, code: str
    ) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "client_id": self.settings.client_id,
            "code_verifier": derived(key, "verifier"),
        }
        secret, client_auth = self._secret(), None
        if secret:
            # What a provider takes that says nothing about it (OpenID Connect Core, section 9).
            methods = metadata.get("token_endpoint_auth_methods_supported", [_BASIC])
            if _BASIC in methods:
                client_auth = httpx.BasicAuth(quote_plus(form["client_id"]), quote_plus(secret))
            else:
                form["client_secret"] = secret
        auth = client_auth or httpx.USE_CLIENT_DEFAULT
        return await _answer(client, "POST", str(metadata["token_endpoint"]), data=form, auth=auth)

    def _secret(self) -> str:
        path = self.settings.client_secret_file
        try:
            return "" if path is None else read_named(path, most=4096).decode().strip()
        except OSError as error:
            raise unreadable(error, path) from error

    def _checked(
        self, metadata: dict[str, Any], keys: Any, token: dict[str, Any], nonce: str
    ) -> dict[str, Any]:
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        algorithms = [name for name in _ALGORITHMS if name in offered]
        decoded = jwt.decode(
            token["id_token"],
            KeySet.import_key_set(keys),
            registry=JWSRegistry(algorithms=algorithms, strict_check_header=False),
        )
        known = {"nonce": nonce, "client_id": self.settings.client_id} | {
            "access_token": token["access_token"]
        }
        rules = {
            "iss": {"essential": True, "values": [self.settings.issuer]},
            "aud": {"essential": True, "value": self.settings.client_id},
        }
        claims = CodeIDToken(decoded.claims, decoded.header, rules, known)
        claims.validate(now=int(time.time()), leeway=_LEEWAY_S)
        return dict(claims)

    async def _completed(
        self,
        client: httpx.AsyncClient,
        metadata: dict[str, Any],
        token: dict[str, Any],
        claims: dict[str, Any],
    ) -> dict[str, Any]:
        """The claims, and those that only the UserInfo endpoint has (Core, section 5.4)."""
        known = {name: value for name, value in claims.items() if value is not None}
        needed = {self.settings.name_claim}
        if self.settings.roles:
            needed.add(self.settings.groups_claim)
        if needed <= known.keys() or "userinfo_endpoint" not in metadata:
            return known
        proof = {"Authorization": f"Bearer {token['access_token']}"}
        url = str(metadata["userinfo_endpoint"])
        more = await _answer(client, "GET", url, headers=proof)
        if more["sub"] != known["sub"]:
            raise ValueError("the UserInfo endpoint answered for another subject")
        return more | known

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False)


async def _answer(client: httpx.AsyncClient, method: str, url: str, **asked: Any) -> dict[str, Any]:
    """What the provider answers; its length and the whole time are bounded."""
    body = bytearray()
    async with asyncio.timeout(_TIMEOUT_S), client.stream(method, url, **asked) as answer:
        answer.raise_for_status()
        async for block in answer.aiter_bytes():
            body += block
            if len(body) > _MOST_BYTES:
                raise ValueError(f"an answer of more than {_MOST_BYTES} bytes")
    found: dict[str, Any] = json.loads(body)
    return found


def _not_trusted(error: Exception) -> OidcError:
    return OidcError(say("the identity provider gave no valid answer"), raw(type(error).__name__))
