"""The SDK's keys and clients, with the settings that volact needs.

No client retries: what may be asked twice is known in ``calls``.
"""

from __future__ import annotations

import configparser
import logging
from pathlib import Path
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

from volact.bounded.http_session import BoundedAdapter, bind_session
from volact.bounded.stream import Limits
from volact.cloud.alibaba.declaration import AlibabaSettings
from volact.cloud.endpoint import read_endpoint
from volact.errors import InputError, one_line, unreadable
from volact.model.text import say

_REQUEST_S = 20
_CONNECTIONS = 16
LIMITS = Limits(most_bytes=8 * 1024 * 1024, total_s=2 * _REQUEST_S, most_values=250_000)
KEYS = Limits(most_bytes=64 * 1024, total_s=20.0)
_SHORTEST = 6
# The SDK's own handlers write tracebacks to the terminal.
logging.getLogger("credentials").setLevel(logging.CRITICAL + 1)
_NAMES = "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"


class Keys:
    """The keys of one account; the SDK fetches and renews them itself."""

    def __init__(self, settings: AlibabaSettings) -> None:
        self._settings = settings
        self._provider = _provider(settings)
        self._seen: set[str] = set()

    def find(self) -> None:
        """Look for keys where the SDK does; ``InputError`` where there are none."""
        try:
            self._provider.get_credentials()
        except Exception as error:  # of many types; what it says may quote a file
            own = self._settings
            named = own.credentials or own.profile
            path = own.credentials or "~/.alibabacloud/credentials.ini"
            raise InputError(
                say("no Alibaba Cloud credentials were found ({why})", why=type(error).__name__),
                say("check type, access_key_id and access_key_secret there")
                if named
                else say("set {names}, or give this machine a role", names=_NAMES),
                where=f"{path} [{one_line(own.profile or 'default', 40)}]" if named else "",
            ) from error

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
        for secret in self._held():
            text = text.replace(secret, "***") if len(secret) >= _SHORTEST else text
        return text

    def _held(self) -> set[str]:
        """The keys of this moment and those before; asking for them may renew them."""
        try:
            got = self._provider.get_credentials()
        except Exception:  # then the call has failed for the same reason
            return self._seen
        said = got.get_access_key_id(), got.get_access_key_secret(), got.get_security_token()
        self._seen |= {secret for secret in said if secret}
        return self._seen


def _provider(settings: AlibabaSettings) -> Any:
    # By it the SDK asks for keys of roles, and for nothing else.
    TeaCore.get_adapter = staticmethod(lambda *_tls: BoundedAdapter(KEYS, "same-origin"))
    # A named file takes precedence over the environment, as a named section does.
    if not settings.credentials and not settings.profile:
        return DefaultCredentialsProvider()
    path = Path(settings.credentials or "~/.alibabacloud/credentials.ini").expanduser()
    section = settings.profile or "default"
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text("utf-8"))
    except OSError as error:
        raise unreadable(error, path) from error
    except (UnicodeDecodeError, configparser.Error) as error:
        # What the parser says would quote the line, and the line may be a key.
        raise InputError(say("is not a file of profiles"), where=str(path)) from error
    if not parser.has_section(section):
        known = ", ".join(parser.sections()) or "none"
        raise InputError(
            say("has no section [{name}]", name=one_line(section, 40)),
            say("it has: {known}", known=known),
            where=str(path),
        )
    return ProfileCredentialsProvider(profile_file=str(path), profile_name=section)
