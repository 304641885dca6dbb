"""A stream that is open ends when its caller may no longer open it as before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from built_apps import with_parts
from service_identity import Service, service, store
from service_parts import put_run, run_info
from virtual_time import pass_time

from volact.client.wire import UserChange
from volact.errors import StoreError
from volact.service.access import Actor
from volact.service.app import Connection
from volact.service.application import application
from volact.service.identity import sessions, tokens, users
from volact.service.identity.sessions import IDLE, signing_in
from volact.service.run_feed import SILENCE_S

__all__ = ["service", "store"]

RUN = "cc33"
PAGE, API = f"/runs/{RUN}/events", f"/api/v1/runs/{RUN}/events"


def progress(service: Service, done: int) -> None:
    put_run(service.store.engine, run_info(RUN, state="running", servers=999, done=done))


def session_of(service: Service, name: str) -> str:
    with service.change() as change:
        user = users.find(change.connection, name)
    with service.change(signing_in(user, "session", "")) as change:
        return f"volact={sessions.begin(change, user)}"


def headers_of(service: Service, path: str) -> dict[str, str]:
    """A viewer's, by token for the API and by session for the page."""
    user = service.user("ada")
    if path == API:
        return {"authorization": f"Bearer {service.token(user, 'viewer', days=1)}"}
    return {"cookie": session_of(service, "ada")}


Next = Callable[[], Any]


@asynccontextmanager
async def opened(service: Service, path: str, headers: dict[str, str]) -> AsyncIterator[Next]:
    """A stream under way: each call is its next bytes, ``b""`` at its end."""
    sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    asked = [{"type": "http.request", "body": b"", "more_body": False}]
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "server": ("testserver", 80), "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip

    async def receive() -> Any:
        return asked.pop() if asked else await asyncio.Event().wait()

    async def next_bytes() -> bytes:
        body: bytes = (await sent.get()).get("body", b"")
        return body

    app: Any = with_parts(application, service.parts)
    answering = asyncio.create_task(app(scope, receive, sent.put))
    assert (await sent.get())["status"] == 200
    try:
        yield next_bytes
    finally:
        answering.cancel()
        with suppress(asyncio.CancelledError):
            await answering


def disable(service: Service) -> None:
    with service.change() as change:
        users.alter(change, "ada", UserChange(disabled=True))


def remove(service: Service) -> None:
    with service.change() as change:
        users.remove(change, "ada")


def confine(service: Service) -> None:
    with service.change() as change:
        users.alter(change, "ada", UserChange(scopes=("tag:web",)))


def change_role(service: Service) -> None:
    with service.change() as change:
        users.alter(change, "ada", UserChange(role="approver"))


def revoke(service: Service) -> None:
    """The token, or the session."""
    with service.change() as change:
        user = users.find(change.connection, "ada")
        for token in tokens.tokens(change.connection, user.id):
            tokens.revoke(change, token.id)
        sessions.end(change, user.id)


def wait_a_day(service: Service) -> None:
    """The token is too old, the session idle."""
    service.clock.advance(days=1, seconds=1)


async def read_until(next_bytes: Next, word: bytes) -> None:
    while word not in await next_bytes():
        pass


async def left(next_bytes: Next, never: bytes) -> bytes:
    """What is still told until the end, which comes before that word."""
    told = b""
    while more := await next_bytes():
        told += more
        assert never not in told
    return told


ENDED = [
    *((path, what) for path in (PAGE, API) for what in (disable, remove, confine, revoke)),
    *((path, wait_a_day) for path in (PAGE, API)),
    (PAGE, change_role),
]


@pytest.mark.parametrize(("path", "what"), ENDED)
async def test_a_stream_ends_with_the_rights_that_opened_it(
    service: Service, path: str, what: Callable[[Service], None]
) -> None:
    headers = headers_of(service, path)
    progress(service, 111)
    async with opened(service, path, headers) as next_bytes:
        progress(service, 222)
        await read_until(next_bytes, b"222")
        what(service)
        progress(service, 333)
        told = await left(next_bytes, b"333")
    # A page is loaded again by its script, and the client of the API asks again: both are refused.
    assert (b"event: end" in told) == (path == PAGE)


@pytest.mark.parametrize("path", [PAGE, API])
async def test_a_stream_of_a_run_that_stands_still_ends_too(service: Service, path: str) -> None:
    headers = headers_of(service, path)
    progress(service, 111)
    async with opened(service, path, headers) as next_bytes:
        progress(service, 222)
        await read_until(next_bytes, b"222")
        pass_time(SILENCE_S)
        await read_until(next_bytes, b"nothing new")
        revoke(service)
        pass_time(SILENCE_S)
        await left(next_bytes, b"nothing new")


async def test_a_stream_goes_on_with_its_rights_and_is_no_use_of_a_session(
    service: Service,
) -> None:
    headers = headers_of(service, PAGE)
    progress(service, 111)
    async with opened(service, PAGE, headers) as next_bytes:
        service.clock.time += IDLE - timedelta(minutes=5)
        progress(service, 222)
        await read_until(next_bytes, b"222")
        service.clock.time += timedelta(minutes=10)
        progress(service, 333)
        assert b"event: end" in await left(next_bytes, b"333")


class UnsureAuthenticator:
    """One whose database is away for the second and third question."""

    def __init__(self, actor: Actor) -> None:
        self.actor, self.asked = actor, 0

    async def actor_of(self, connection: Connection, *, in_use: bool = True) -> Actor | None:
        await asyncio.sleep(0)
        self.asked += 1
        if self.asked in (2, 3):
            raise StoreError("the database is away")
        return self.actor


async def test_a_database_that_cannot_be_asked_ends_no_stream(service: Service) -> None:
    unsure = UnsureAuthenticator(Actor(user="1", name="ada", role="viewer"))
    service.parts = replace(service.parts, authenticator=unsure)
    progress(service, 111)
    async with opened(service, API, {}) as next_bytes:
        progress(service, 222)
        await read_until(next_bytes, b"222")
    assert unsure.asked > 3
