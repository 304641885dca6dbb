"""Who asks: a principal gets a token for the API, and the token is checked.

As documented of the client credentials flow of the Microsoft identity
platform (v2.0), written without reading the client's code.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from volact_lab.instances.faults import ApiFault

LIFE_S = 3600.0


@dataclass(frozen=True, slots=True)
class Principal:
    """A service principal and its secret.  ``denied`` is what its role does not allow."""

    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(30))
    tenant_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    denied: frozenset[str] = frozenset()  # methods, or machines


class Tokens:
    """The tokens of one principal."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.principal = Principal()
        self.clock = clock
        self._until: dict[str, float] = {}

    def configuration(self, tenant: str, endpoint: str) -> dict[str, object]:
        """Where tokens of a tenant are to be had."""
        self._check_tenant(tenant)
        own = f"{endpoint}/{tenant}"
        return {
            "issuer": f"{own}/v2.0",
            "authorization_endpoint": f"{own}/oauth2/v2.0/authorize",
            "token_endpoint": f"{own}/oauth2/v2.0/token",
        }

    def give(self, tenant: str, asked: Mapping[str, str], endpoint: str) -> dict[str, object]:
        """A token for the API at an endpoint, for the secret of the principal."""
        self._check_tenant(tenant)
        if asked.get("grant_type") != "client_credentials":
            raise ApiFault("unsupported_grant_type", "AADSTS70003: The grant is not modelled.")
        if asked.get("scope") != f"{endpoint}/.default":
            raise ApiFault("invalid_scope", "AADSTS70011: The scope is not valid.")
        if asked.get("client_id") != self.principal.client_id:
            raise ApiFault("unauthorized_client", "AADSTS700016: Application was not found.")
        if asked.get("client_secret") != self.principal.client_secret:
            raise ApiFault("invalid_client", "AADSTS7000215: Invalid client secret provided.")
        token = secrets.token_urlsafe(40)
        self._until[token] = self.clock() + LIFE_S
        return {"token_type": "Bearer", "expires_in": int(LIFE_S), "access_token": token}

    def check(self, authorization: str) -> Principal:
        """Whose token it is; ``ApiFault`` when it is none, or an old one."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or token not in self._until:
            raise ApiFault("InvalidAuthenticationToken", "The access token is invalid.")
        if self._until[token] <= self.clock():
            raise ApiFault("ExpiredAuthenticationToken", "The access token expiry is in the past.")
        return self.principal

    def _check_tenant(self, tenant: str) -> None:
        if tenant != self.principal.tenant_id:
            raise ApiFault("invalid_tenant", "AADSTS90002: Tenant was not found.")
