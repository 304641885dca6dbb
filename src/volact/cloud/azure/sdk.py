"""The SDK's credentials and transport, with the settings that volact needs.

No retries of the API's calls: what may be asked twice is known in ``calls``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
import requests
from azure.core import PipelineClient
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential, DefaultAzureCredential

from volact.bounded.files import own_path, read_named, require_readable
from volact.bounded.http_session import bind_session
from volact.bounded.stream import Limits
from volact.cloud.azure.declaration import AzureSettings
from volact.cloud.azure.failures import as_failure
from volact.cloud.endpoint import path_of_link, read_endpoint
from volact.cloud.failures import without
from volact.errors import InputError, one_line, unreadable
from volact.model.text import say

_REQUEST_S = 20
LIMITS = Limits(most_bytes=16 * 1024 * 1024, total_s=2 * _REQUEST_S)
TOKENS = Limits(most_bytes=256 * 1024, total_s=_REQUEST_S)
_GLOBAL = "https://management.azure.com"


class Principal(msgspec.Struct, rename="camel"):
    """A service principal, as ``az ad sp create-for-rbac --json-auth`` writes it."""

    client_id: str
    client_secret: str
    tenant_id: str
    active_directory_endpoint_url: str | None = None
    resource_manager_endpoint_url: str | None = None


class Keys:
    """The SDK's credential of one account, and requests with its tokens.

    Args:
        settings: the account.
        credential: of the SDK, instead of that which the settings mean.
    """

    def __init__(self, settings: AzureSettings, credential: Any = None) -> None:
        # At their most talkative they write whole requests; of every place where no
        # credential is they warn.
        for name in ("azure", "msal"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._authorities = _readable(settings.authorities)
        self._principal = _principal(settings.credentials)
        own = self._principal.resource_manager_endpoint_url if self._principal else None
        url = settings.endpoint or (own or _GLOBAL).rstrip("/")
        self.endpoint = read_endpoint(url, "management").url
        self._secrets = {self._principal.client_secret} if self._principal else set()
        self._credential = credential or self._found()
        self._client = self._made()

    def find(self) -> None:
        """Ask for a token where the SDK does; ``InputError`` where there is none to be had."""
        try:
            self.get_token(f"{self.endpoint}/.default")
        except Exception as error:
            failure = as_failure(error, self.redact)
            if failure.kind != "auth":
                raise failure from error
            raise InputError(failure.message, failure.hint) from error

    def get_token(self, *scopes: str, **more: Any) -> Any:
        """A token, as the SDK asks a credential for it; what it is must not be seen."""
        token = self._credential.get_token(*scopes, **more)
        self._secrets.add(token.token)
        return token

    def send(self, method: str, url: str, query: Mapping[str, str], body: object) -> Any:
        """One request to a path, or to a link that the API has given."""
        path = path_of_link(self.endpoint, url)  # no other place is sent a token
        request = HttpRequest(method, self.endpoint + path, params=dict(query), json=body)
        # ``read_endpoint`` lets http lead to this machine only.
        return self._client.send_request(request, enforce_https=False)

    def redact(self, text: str) -> str:
        """The text without what must not be seen in it."""
        return without(text, tuple(self._secrets))

    def _found(self) -> Any:
        how: dict[str, Any] = {"transport": self._transport(TOKENS), "retry_total": 2}
        own = self._principal
        try:
            if own is None:
                return DefaultAzureCredential(**how)
            if own.active_directory_endpoint_url:
                # That of another Azure; the list of known ones is global Azure's.
                authority = own.active_directory_endpoint_url.rstrip("/")
                how |= {"authority": authority, "disable_instance_discovery": True}
            return ClientSecretCredential(own.tenant_id, own.client_id, own.client_secret, **how)
        except ValueError as error:
            told = one_line(self.redact(str(error)))
            raise InputError(
                say("the Azure credentials cannot be used: {error}", error=told)
            ) from error

    def _made(self) -> Any:
        bearer = BearerTokenCredentialPolicy(self, f"{self.endpoint}/.default")
        transport = self._transport(LIMITS)
        return PipelineClient(self.endpoint, transport=transport, policies=[bearer])

    def _transport(self, limits: Limits) -> Any:
        session = requests.Session()
        bind_session(session, limits, "same-origin")
        return RequestsTransport(
            session=session,
            session_owner=False,
            connection_timeout=_REQUEST_S,
            read_timeout=_REQUEST_S,
            connection_verify=self._authorities or True,
        )


def _readable(name: str) -> str:
    """The path of a file that can be read, ``""`` where none is named."""
    if not name:
        return ""
    path = own_path(name)
    try:
        require_readable(path)
    except OSError as error:
        raise unreadable(error, path) from error
    return str(path)


def _principal(name: str) -> Principal | None:
    if not name:
        return None
    path = own_path(name)
    try:
        return msgspec.json.decode(read_named(path), type=Principal)
    except OSError as error:
        raise unreadable(error, path) from error
    except ValueError:
        # What the parser says could quote a line, and the line may be a key.
        raise InputError(say("is not a service principal of Azure"), where=str(path)) from None
