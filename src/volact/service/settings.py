"""What ``volact serve`` and ``volact worker`` are started with."""

from __future__ import annotations

from pathlib import Path

import msgspec

from volact.model.profile import HostPort
from volact.service.logs import LogFormat
from volact.store.address import StoreAddress


class TlsFiles(msgspec.Struct, frozen=True):
    """A certificate chain and its key, both PEM."""

    certificate: Path
    key: Path


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one process of the service.

    Attributes:
        database: the store's database; the service's tables and DBOS's are in it, too
            (with SQLite, DBOS's are in a file beside it).
        listen: address of console and API.
        tls: ``None``: plain HTTP, for loopback and behind a proxy.
        public_url: how users reach it (``https://volact.example``); ``""``: as it listens.
        trusted_proxies: networks whose forwarded headers are believed.
        labels: of this process' worker; it takes servers whose inventory asks for no other.
        requests_a_minute: of one caller to the API of one process.
        workers: worker processes that ``serve`` starts beside itself.
        keep_alive_s: how long a connection without a request stays open.
        log: how it and its workers write their log.
        oidc: file of ``identity.oidc.OidcSettings``.
    """

    database: StoreAddress
    listen: HostPort = HostPort("127.0.0.1", 8088)
    tls: TlsFiles | None = None
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    requests_a_minute: int = 6000
    workers: int = 1
    keep_alive_s: int = 75
    log: LogFormat = "text"
    oidc: Path | None = None


def base_url(settings: ServiceSettings) -> str:
    """How users reach the service."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    return f"{'https' if settings.tls else 'http'}://{settings.listen}"
