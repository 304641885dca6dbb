"""The process of ``volact serve``: console and API over bounded HTTP, and the workers beside it.

What is printed for a person is the verb's; routes are ``application``'s.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime

import uvicorn
from msgspec.structs import replace

from volact.child_process import own_group, python_command, python_environment
from volact.errors import InputError
from volact.model.text import raw, say
from volact.service.app import Parts, utc_now
from volact.service.application import application
from volact.service.engine.control import EngineControl
from volact.service.http_bounds import BoundedHttp
from volact.service.identity.audit import SYSTEM, changing
from volact.service.identity.authenticator import DatabaseAuthenticator
from volact.service.identity.oidc import OidcProvider, load_oidc
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
    except UnicodeError as error:  # a name that DNS cannot have
        why = say("the name does not resolve")
        raise InputError(say("{where}: cannot listen: {why}", where=where, why=why)) from error
    with listener:
        yield listener


def at_port(settings: ServiceSettings, listener: socket.socket) -> ServiceSettings:
    """The settings with the port that port 0 became."""
    address = replace(settings.listen, port=listener.getsockname()[1])
    return replace(settings, listen=address)


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
    parts: Parts, listener: socket.socket, stop: asyncio.Event, kill: asyncio.Event
) -> None:
    """Answer requests, with workers beside, until ``stop``; what is under way is finished.

    ``kill`` ends the workers without that.
    """
    server = _Server(server_config(parts))
    serving = asyncio.create_task(server.serve([listener]))
    others = [
        asyncio.create_task(stop.wait()),
        asyncio.create_task(Scheduler(parts).run(stop)),
        *(
            asyncio.create_task(keep_worker(parts.settings, stop, kill))
            for _ in range(parts.settings.workers)
        ),
    ]
    await asyncio.wait((serving, others[0]), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stop.set()
    await asyncio.gather(serving, *others)


def make_parts(settings: ServiceSettings, store: Store) -> Parts:
    """What the handlers work with; ``InputError`` for wrong settings of OIDC."""
    return Parts(
        settings=settings,
        store=store,
        authenticator=DatabaseAuthenticator(store, settings, utc_now),
        runs=EngineControl(store, utc_now),
        oidc=_oidc(settings),
    )


def _oidc(settings: ServiceSettings) -> OidcProvider | None:
    if settings.oidc is None:
        return None
    return OidcProvider(load_oidc(settings.oidc), f"{base_url(settings)}/oidc/callback")


def server_config(parts: Parts) -> uvicorn.Config:
    """How uvicorn serves the application."""
    settings = parts.settings
    trusted: Sequence[str] = settings.trusted_proxies
    tls = settings.tls
    return uvicorn.Config(
        application(parts),
        http=BoundedHttp,
        ws="none",  # no route speaks it
        log_config=None,
        access_log=False,  # the query of a one-time link is a secret
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=[*trusted],
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=_GRACE_S,
    )


_LOG = logging.getLogger(__name__)
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0


def next_wait(before: float, lived_s: float) -> float:
    """Seconds until another worker starts: twice the last, the least after one that lived long."""
    return _FIRST_WAIT_S if lived_s > _LONGEST_WAIT_S else min(max(1, before * 2), _LONGEST_WAIT_S)


async def keep_worker(settings: ServiceSettings, stop: asyncio.Event, kill: asyncio.Event) -> None:
    """Keep one worker until ``stop``; then it finishes what it has under way, until ``kill``."""
    wait = 0.0
    while not stop.is_set():
        began = time.monotonic()
        try:
            process = await asyncio.create_subprocess_exec(
                *_command(settings), env=_environment(settings), stdin=asyncio.subprocess.PIPE,
                **own_group(),
            )  # fmt: skip
            ended = asyncio.create_task(process.wait())
            await _first(ended, stop)
            why = "" if stop.is_set() else f"ended with code {ended.result()}"
        except OSError as error:  # this machine starts none, perhaps for a moment
            why = f"did not start: {error}"
        if why:
            wait = next_wait(wait, time.monotonic() - began)
            _LOG.error("a worker %s; the next starts in %g s", why, wait)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)
            continue
        # The end of its input tells a worker to finish; Windows has no signal that does.
        assert process.stdin is not None
        process.stdin.close()
        await _first(ended, kill)
        with suppress(ProcessLookupError):
            process.kill()
        await ended


def _command(settings: ServiceSettings) -> list[str]:
    labels = [word for label in settings.labels for word in ("--label", label)]
    return python_command("volact", "worker", "--while-stdin", "--log", settings.log, *labels)


def _environment(settings: ServiceSettings) -> dict[str, str]:
    """The database is named by the environment: its address may hold a password."""
    address = settings.database
    return python_environment(VOLACT_STORE=address.url or str(address.file))


async def _first(ended: asyncio.Task[int], event: asyncio.Event) -> None:
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait((ended, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
