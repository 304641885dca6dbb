"""The process of ``volact serve``: console and API, and the workers beside it.

What is printed for a person is the verb's; routes are ``application``'s.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import uvicorn

from volact.errors import InputError
from volact.model.text import raw, say
from volact.service.app import Parts, utc_now
from volact.service.application import application
from volact.service.audited_runs import AuditedRuns
from volact.service.engine.control import EngineControl
from volact.service.identity.audit import SYSTEM, changing
from volact.service.identity.authenticator import DatabaseAuthenticator
from volact.service.identity.sessions import link_url, make_link
from volact.service.identity.users import first_administrator
from volact.service.schedules.scheduler import Scheduler
from volact.service.settings import ServiceSettings, base_url
from volact.store.store import Store

_GRACE_S = 10  # for requests under way, such as open streams


def first_link(store: Store, settings: ServiceSettings, now: datetime) -> str:
    """A one-time link for an administrator who cannot sign in otherwise; ``""``: not needed."""
    with changing(store, now, SYSTEM) as change:
        user = first_administrator(change)
        return link_url(base_url(settings), make_link(change, user)) if user else ""


@contextmanager
def listening(settings: ServiceSettings) -> Iterator[socket.socket]:
    """The socket; ``InputError`` where it cannot be had."""
    host, port = settings.listen.host, settings.listen.port
    where = raw(f"{host}:{port}")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = say("{where}: the port is in use", where=where)
            raise InputError(message, say("choose another with --listen")) from error
        message = say("{where}: cannot listen: {why}", where=where, why=raw(error.strerror or ""))
        raise InputError(message) from error
    with listener:
        yield listener


def require_certificate(settings: ServiceSettings) -> None:
    """``InputError`` unless the TLS files are a certificate chain and its key."""
    if settings.tls is None:
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(settings.tls.certificate, settings.tls.key, lambda: "")
    except (OSError, ValueError) as error:
        files = raw(f"{settings.tls.certificate}, {settings.tls.key}")
        raise InputError(
            say("{files}: these are no TLS certificate and its key", files=files),
            raw(str(getattr(error, "strerror", None) or error)),
        ) from error


class _Server(uvicorn.Server):
    """uvicorn, without its signal handlers: the verb has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run_server(
    settings: ServiceSettings, store: Store, listener: socket.socket, stop: asyncio.Event
) -> None:
    """Answer requests until ``stop``; those under way are finished."""
    parts = make_parts(settings, store)
    server = _Server(_config(settings, parts))
    serving = asyncio.create_task(server.serve([listener]))
    stopping = asyncio.create_task(stop.wait())
    scheduling = asyncio.create_task(Scheduler(parts).run(stop))
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving
    stop.set()
    await scheduling


def make_parts(settings: ServiceSettings, store: Store) -> Parts:
    """What the handlers work with."""
    return Parts(
        settings=settings,
        store=store,
        authenticator=DatabaseAuthenticator(store, settings, utc_now),
        runs=AuditedRuns(EngineControl(store, utc_now), store, utc_now),
    )


def _config(settings: ServiceSettings, parts: Parts) -> uvicorn.Config:
    trusted: Sequence[str] = settings.trusted_proxies
    tls = settings.tls
    return uvicorn.Config(
        application(parts),
        log_config=None,
        access_log=False,  # the query of a one-time link is a secret
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=[*trusted],
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        timeout_graceful_shutdown=_GRACE_S,
    )
