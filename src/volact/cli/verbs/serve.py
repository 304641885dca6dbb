"""``volact serve``: the service in one process, with its workers beside it."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from dataclasses import replace
from pathlib import Path

from volact.cli.child_lab import child_lab, starting
from volact.cli.console import write_line
from volact.cli.options.lab import DemoOptions
from volact.cli.options.service import ServeOptions
from volact.cli.runtime import run_async, stop_on_signals
from volact.cli.service_database import database_of, needs_service
from volact.client.address import public_url
from volact.errors import InputError
from volact.model.profile import HostPort
from volact.model.text import raw, say

with needs_service():
    from volact.service import serve as service
    from volact.service.app import utc_now
    from volact.service.database.schema import open_service_store
    from volact.service.demo import show
    from volact.service.logs import configure_logging
    from volact.service.settings import ServiceSettings, TlsFiles, base_url

_DEMO_SERVERS = 40


def serve(options: ServeOptions) -> int:
    """Serve console and API until stopped."""
    configure_logging(options.log)
    if not options.demo:
        return _run(settings_of(options))
    if options.database:
        raise InputError(say("--demo has a database of its own"))
    demo, n = DemoOptions(), _DEMO_SERVERS
    write_line(starting(demo.scenario, n))
    with child_lab(demo.scenario, n, demo.seed) as inventory:
        database = str(inventory.with_name("volact.db"))
        return _run(settings_of(replace(options, database=database)), inventory)


def _run(settings: ServiceSettings, demo: Path | None = None) -> int:
    service.require_certificate(settings)
    run_async(_serve(settings, demo))
    return 0


async def _serve(settings: ServiceSettings, demo: Path | None) -> None:
    stop, kill = asyncio.Event(), asyncio.Event()
    with (
        service.listening(settings) as listener,
        open_service_store(settings.database) as store,
        stop_on_signals(stop, kill),
    ):
        settings = service.at_port(settings, listener)
        parts = service.make_parts(settings, store)
        write_line(say("volact serves {url}; Ctrl-C stops it", url=base_url(settings)))
        if link := service.first_link(store, settings, utc_now()):
            write_line(say("sign in as administrator with this link, once, within a day:"))
            write_line(raw(link))
        showing = asyncio.create_task(show(parts, demo)) if demo is not None else None
        await service.run_server(parts, listener, stop, kill)
        if showing is not None:
            showing.cancel()


def settings_of(options: ServeOptions) -> ServiceSettings:
    """The options as settings; ``InputError`` for what is none."""
    return ServiceSettings(
        database=database_of(options.database),
        listen=_listen(options.listen),
        tls=_tls(options),
        public_url=public_url(options.public_url),
        workers=options.workers,
        keep_alive_s=options.keep_alive,
        log=options.log,
        oidc=Path(options.oidc) if options.oidc else None,
        trusted_proxies=tuple(_network(text) for text in options.trust_proxy),
    )


def _listen(text: str) -> HostPort:
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        what = say("{text} is not HOST:PORT", text=raw(repr(text)))
        raise InputError(what, say("such as 127.0.0.1:8088"))
    return HostPort(host.removeprefix("[").removesuffix("]"), int(port))


def _tls(options: ServeOptions) -> TlsFiles | None:
    if bool(options.tls_certificate) != bool(options.tls_key):
        raise InputError(say("--tls-certificate and --tls-key are given together"))
    if not options.tls_key:
        return None
    return TlsFiles(Path(options.tls_certificate), Path(options.tls_key))


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        message = say("{text} is no IP address or network", text=raw(repr(text)))
        raise InputError(message) from error
    return text
