"""The SDK's keys and clients, with the settings that volact needs.

No client retries: what may be asked twice is known in ``calls``.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import Any

from alibabacloud_credentials.client import Client as Credential
from alibabacloud_credentials.provider import (
    DefaultCredentialsProvider,
    ProfileCredentialsProvider,
)
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config
from darabonba.core import DaraCore
from Tea.core import TeaCore

from volact.bounded.files import own_path
from volact.bounded.http_session import BoundedAdapter, bind_session
from volact.bounded.stream import Limits
from volact.cloud.alibaba.declaration import AlibabaSettings
from volact.cloud.endpoint import read_endpoint
from volact.cloud.failures import without
from volact.cloud.key_files import named_file, profile_in
from volact.errors import InputError, one_line
from volact.model.text import say

_REQUEST_S = 20
_CONNECTIONS = 16
LIMITS = Limits(most_bytes=8 * 1024 * 1024, total_s=2 * _REQUEST_S, most_values=250_000)
KEYS = Limits(most_bytes=64 * 1024, total_s=20.0)
# The SDK's own handlers write tracebacks to the terminal.
logging.getLogger("credentials").setLevel(logging.CRITICAL + 1)
_FILE = "~/.alibabacloud/credentials.ini"
_NAMES = "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"


class Keys:
    """The keys of one account; the SDK fetches and renews them itself."""

    def __init__(self, settings: AlibabaSettings) -> None:
        self._settings = settings
        self._seen: set[str] = set()
        # A named file takes precedence over the environment, as a named section does.
        named = settings.credentials or settings.profile
        self._file = settings.credentials or _FILE if named else ""
        self._section = settings.profile or "default"
        if self._file:
            profile_in(own_path(self._file), self._section)
        # By it the SDK asks for keys of roles, and for nothing else.
        TeaCore.get_adapter = staticmethod(lambda *_tls: BoundedAdapter(KEYS, "same-origin"))
        self._provider = self._reads(self._file)

    def find(self) -> None:
        """Look for keys where the SDK does; ``InputError`` where there are none."""
        with named_file(self._file) if self._file else nullcontext("") as file:
            self._provider = self._reads(file)
            try:
                self._provider.get_credentials()
            except Exception as error:  # of many types; what it says may quote a file
                why = type(error).__name__
                raise InputError(
                    say("no Alibaba Cloud credentials were found ({why})", why=why),
                    say("check type, access_key_id and access_key_secret there")
                    if file
                    else say("set {names}, or give this machine a role", names=_NAMES),
                    where=f"{self._file} [{one_line(self._section, 40)}]" if file else "",
                ) from error

    def _reads(self, file: str) -> Any:
        """What reads keys from a file, or for ``""`` from where the SDK does."""
        if not file:
            return DefaultCredentialsProvider()
        path = str(own_path(file))
        return ProfileCredentialsProvider(profile_file=path, profile_name=self._section)

    def client(self, service: str, region: str) -> Any:
        """A client of ECS in one region; it may be used by several threads."""
        own = read_endpoint(self._settings.endpoint, service) if self._settings.endpoint else None
        scheme = own.scheme if own else "https"
        client = Client(
            Config(
                credential=Credential(provider=self._provider),
                region_id=region,
                protocol=scheme.upper(),
                endpoint=own.host if own else None,
                connect_timeout=_REQUEST_S * 1000,
                read_timeout=_REQUEST_S * 1000,
                max_idle_conns=_CONNECTIONS,
            )
        )
        # The session that the SDK will take for this endpoint.
        session = DaraCore._get_session(
            f"{scheme}://{client._endpoint}:80:pool={_CONNECTIONS}", scheme, pool_size=_CONNECTIONS
        )
        bind_session(session, LIMITS, "same-origin")
        return client

    def redact(self, text: str) -> str:
        """The text without what must not be seen in it."""
        return without(text, tuple(self._held()))

    def _held(self) -> set[str]:
        """The keys of this moment and those before; asking for them may renew them."""
        try:
            got = self._provider.get_credentials()
        except Exception:  # then the call has failed for the same reason
            return self._seen
        said = got.get_access_key_id(), got.get_access_key_secret(), got.get_security_token()
        self._seen |= {secret for secret in said if secret}
        return self._seen
