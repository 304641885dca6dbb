"""The SDK's session and clients, with the settings that volact needs.

No client retries: what may be asked twice is known in ``calls``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import create_loader
from botocore.session import Session

from volact.bounded.http_session import bind_pools
from volact.bounded.stream import Limits
from volact.cloud.aws.declaration import AwsSettings
from volact.cloud.endpoint import read_endpoint
from volact.cloud.failures import without
from volact.cloud.key_files import named_file
from volact.errors import InputError, one_line
from volact.model.text import say

_REQUEST_S = 20
LIMITS = Limits(most_bytes=8 * 1024 * 1024, total_s=2 * _REQUEST_S, most_values=250_000)
METADATA = Limits(most_bytes=64 * 1024, total_s=4.0)


class Keys:
    """The SDK's session of one account; it fetches and renews keys itself."""

    def __init__(self, settings: AwsSettings) -> None:
        self.session = _session(settings)
        self._settings = settings

    def find(self) -> None:
        """Look for keys where the SDK does; ``InputError`` where there are none."""
        own = self._settings
        with _named(self.session, own):
            found = self._found()
        if found is None:
            raise InputError(
                say("no AWS credentials were found"),
                say("check aws_access_key_id and aws_secret_access_key there")
                if own.credentials
                else say(
                    "set {names}, or give this machine a role",
                    names="AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                ),
                where=_section(own) if own.credentials else "",
            )

    def _found(self) -> Any:
        for fetcher in _fetchers(self.session):
            _bind(fetcher._session, METADATA)
        if self._settings.credentials:  # a role of this machine may be one of another account
            for name in ("container-role", "iam-role"):
                self.session.get_component("credential_provider").remove(name)
        try:
            return self.session.get_credentials()
        except BotoCoreError as error:
            raise InputError(
                say("no AWS credentials could be had: {error}", error=one_line(str(error)))
            ) from error

    def client(self, service: str, region: str) -> Any:
        """A client of one service in one region; it may be used by several threads."""
        if not self.session.get_config_variable("region"):
            # STS, which is asked for the keys of a role, has regions too.
            self.session.set_config_variable("region", region)
        url = self._settings.endpoint
        config = Config(
            connect_timeout=_REQUEST_S,
            read_timeout=_REQUEST_S,
            max_pool_connections=16,
            retries={"total_max_attempts": 1},
        )
        return self.session.create_client(
            service,
            region_name=region,
            endpoint_url=read_endpoint(url, service).url if url else None,
            config=config,
        )

    def redact(self, text: str) -> str:
        """The text without what must not be seen in it."""
        # What the session holds now: its public properties may fetch new keys.
        held = vars(self.session).get("_credentials")
        own = vars(held).items() if held else ()
        return without(text, [value for name, value in own if "key" in name or "token" in name])


def _section(settings: AwsSettings) -> str:
    return f"{settings.credentials} [{one_line(settings.profile or 'default', 40)}]"


def _session(settings: AwsSettings) -> Any:
    # At its most talkative the SDK writes whole requests, tokens among them.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    # A named file takes precedence over the environment, as a named profile does.
    session = Session(profile=settings.profile or ("default" if settings.credentials else None))
    session.register_component("data_loader", _loader())
    _bind_clients(session)
    try:
        with _named(session, settings):
            session.get_scoped_config()
    except BotoCoreError as error:
        # What the parser says could quote a line, and the line may be a key.
        told = (
            say("there is no such profile")
            if "Profile" in type(error).__name__
            else say("it cannot be read")
        )
        where = settings.credentials or "~/.aws"
        name = settings.profile or "default"
        raise InputError(
            say("the AWS profile {name}: {told}", name=repr(name), told=told), where=where
        ) from error
    return session


@contextmanager
def _named(session: Any, settings: AwsSettings) -> Iterator[None]:
    """While the session reads keys: it has the file that the settings name."""
    if not settings.credentials:
        yield
        return
    with named_file(settings.credentials) as file:
        session.set_config_variable("credentials_file", file)
        yield


@cache
def _loader() -> Any:
    """One for all accounts: what it keeps of a service is megabytes."""
    return create_loader()


def _fetchers(session: Any) -> Iterator[Any]:
    """Those that ask a metadata service, which speaks without TLS."""
    for provider in session.get_component("credential_provider").providers:
        for name in ("_role_fetcher", "_fetcher"):
            fetcher = getattr(provider, name, None)
            if hasattr(fetcher, "_session"):
                yield fetcher


def _bind_clients(session: Any) -> None:
    """Put bounds under every client that a session makes, those for roles and SSO too."""
    plain = session.create_client

    def create_client(*args: Any, **more: Any) -> Any:
        client = plain(*args, **more)
        _bind(client._endpoint.http_session, LIMITS)
        return client

    session.create_client = create_client


def _bind(http: Any, limits: Limits) -> None:
    """Put bounds under every request of a session of the SDK, also through a proxy."""
    plain = http._get_connection_manager

    def manager(url: str, proxy_url: str | None = None) -> Any:
        found = plain(url, proxy_url)
        bind_pools(found, limits)
        return found

    http._get_connection_manager = manager
