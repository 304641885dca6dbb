"""The client of the service's API: typed methods over ``requests``, which is always there.

    with Client("https://volact.example", token) as service:
        for server in service.servers(ServerFilter(verdicts=("failed",))):
            print(server.name, server.cause)

Every error is one line: ``InputError`` for what the caller can mend, ``ServiceError`` else.
"""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import msgspec
import requests

from volact.client.address import address_parts
from volact.client.answers import (
    AuditPage,
    Me,
    PlanGroups,
    RunProgress,
    RunServerPage,
    ServerDetail,
    ServerItem,
    ServerPage,
    StoredRunPage,
    UserList,
)
from volact.client.document import ApiDocument, require_targets
from volact.client.failures import (
    LaterError,
    LostError,
    ServiceError,
    decoded,
    pause,
    refused,
    unreachable,
)
from volact.client.inventories import InventoryInfo, InventoryPage, InventoryUpload
from volact.client.wire import (
    AuditLine,
    RunInfo,
    RunSpec,
    UserChange,
    UserInfo,
)
from volact.errors import InputError
from volact.model.report import RunReport, ServerReport
from volact.model.text import raw, say
from volact.queries.filters import ServerFilter
from volact.queries.values import Diff, FleetStatus, History, RunServer
from volact.store.values import RunRow

T = TypeVar("T")
Steering = Literal["approve", "pause", "resume", "cancel", "retry"]
_TIMES = (10.0, 60.0)  # seconds to connect, and between two bytes; events come each 15 s
_AGAIN = 5  # times that events are asked for again, one after the other without an answer
_SUBMITTED = 4  # times that a run is submitted again
# The last: the connection ended in the middle of an answer.
_LOST = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
_ALL = ServerFilter()
# Where the API's word for a filter is another than the field's.
_WORDS = {
    "names": "name", "tags": "tag", "verdicts": "verdict", "findings": "finding",
    "causes": "cause", "errors": "error", "kms_hosts": "kms_host", "releases": "release",
    "statuses": "status",
}  # fmt: skip


class Client:
    """A service, as the owner of a token sees it."""

    def __init__(self, url: str, token: str) -> None:
        require_safe(url)
        self._url = f"{url.rstrip('/')}/api/v1"
        self._session = requests.Session()
        self._session.auth = _Bearer(token)  # else a .netrc would rule over the header

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def me(self) -> Me:
        """Whose token it is, and what it may do."""
        return self._get("/me", Me)

    def fleet(self, filter: ServerFilter = _ALL, *, stale_days: float = 7) -> FleetStatus:
        """The servers that a filter means, in numbers."""
        return self._get("/fleet", FleetStatus, {**_query(filter), "stale_days": stale_days})

    def servers(
        self,
        filter: ServerFilter = _ALL,
        *,
        order: Literal["name", "ends", "seen"] = "name",
    ) -> Iterator[ServerItem]:
        """The servers that a filter means, a page at a time."""
        return self._pages("/servers", ServerPage, {**_query(filter), "order": order})

    def server(self, name: str) -> ServerDetail:
        """One server, with the report of its newest examination."""
        return self._get(f"/servers/{_part(name)}", ServerDetail)

    def history(self, name: str, since: datetime | None = None) -> History:
        """Every examination of a server, the newest first."""
        query: dict[str, Any] = {"limit": 100}
        if since is not None:
            query["since"] = since.isoformat()
        first = page = self._get(f"/servers/{_part(name)}/history", History, query)
        looks = [*page.looks]
        while page.next:
            query["cursor"] = page.next
            page = self._get(f"/servers/{_part(name)}/history", History, query)
            looks += page.looks
        return History(server=first.server, looks=tuple(looks))

    def stored_runs(self, limit: int) -> list[RunRow]:
        """The newest runs of the store."""
        page = min(limit, 1000)
        return [*islice(self._pages("/stored-runs", StoredRunPage, {"limit": page}), limit)]

    def find_run(self, text: str) -> RunRow:
        """A stored run by id, unique beginning of one, ``last`` or ``last~N``."""
        runs = self.stored_runs(1000)
        name, _, back = text.partition("~")
        if name == "last" and (not back or back.isdecimal()):
            found = runs[int(back or 0) :][:1]
        else:
            found = [run for run in runs if run.id == text]
            found = found or [run for run in runs if run.id.startswith(text)]
        if not found and text and name != "last":  # an older one, by its whole id
            with suppress(InputError):
                found = [self._get(f"/stored-runs/{_part(text)}", RunRow)]
        if len(found) != 1:
            raise InputError(say("there is no run {text}", text=raw(text)))
        return found[0]

    def diff(self, before: str, after: str) -> Diff:
        """What changed from one run to another, by their whole ids."""
        return self._get("/diff", Diff, {"before": before, "after": after})

    def submit(self, spec: RunSpec) -> RunInfo:
        """Submit a run; sent again where the answer was lost or is not there yet, and done once."""
        if spec.targets:
            require_targets(self._get("/openapi.json", ApiDocument))
        key = {"Idempotency-Key": secrets.token_hex(16)}
        body = msgspec.json.encode(_said(spec))
        lost = 0
        while True:
            try:
                return self._sent("POST", "/runs", RunInfo, body, key)
            except (LostError, LaterError) as error:
                lost += 1
                if lost > _SUBMITTED:
                    raise
                time.sleep(pause(lost, error))

    def run(self, run: str) -> RunInfo:
        """A run, and how far it is."""
        return self._get(f"/runs/{_part(run)}", RunInfo)

    def steer(self, run: str, how: Steering) -> RunInfo:
        """Approve, pause, resume, cancel or retry a run."""
        return self._sent("POST", f"/runs/{_part(run)}/{how}", RunInfo)

    def refuse(self, run: str, reason: str) -> RunInfo:
        """Refuse a run that awaits approval."""
        body = msgspec.json.encode({"reason": reason})
        return self._sent("POST", f"/runs/{_part(run)}/refuse", RunInfo, body)

    def rows(self, run: str, filter: ServerFilter = _ALL) -> Iterator[RunServer]:
        """The rows of a run, a page at a time."""
        return self._pages(f"/runs/{_part(run)}/rows", RunServerPage, _query(filter))

    def plan(self, run: str) -> PlanGroups:
        """What a run would change, by groups of servers."""
        return self._get(f"/runs/{_part(run)}/plan", PlanGroups)

    def reports(self, run: str) -> Iterator[ServerReport | RunReport]:
        """The whole report of each server of a run, then the run's own."""
        with self._streamed(f"/runs/{_part(run)}/report", {"format": "jsonl"}) as answer:
            before = b""
            for line in answer.iter_lines():
                if before:
                    yield decoded(before, ServerReport)
                before = line
            end = decoded(before, dict[str, Any])  # it names no servers
            yield decoded(msgspec.json.encode({**end, "servers": ()}), RunReport)

    def progress(self, run: str) -> Iterator[RunProgress]:
        """The run's progress until it is over; broken connections are made again."""
        last, lost = "", 0
        while True:
            try:
                for name, id, data in self._events(run, last):
                    last, lost = id or last, 0
                    progress = decoded(data, RunProgress)
                    yield progress
                    if name == "end":
                        return
            except LostError as error:
                lost += 1
                if lost > _AGAIN:
                    raise
                time.sleep(pause(lost, error))  # it may be restarted: 26 s in all

    def _events(self, run: str, last: str) -> Iterator[tuple[str, str, bytes]]:
        headers = {"Last-Event-ID": last} if last else {}
        with self._streamed(f"/runs/{_part(run)}/events", {}, headers) as answer:
            parts: dict[bytes, bytes] = {}
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(b": ")
                    parts[name] = value
                elif data := parts.get(b"data"):
                    yield parts.get(b"event", b"").decode(), parts.get(b"id", b"").decode(), data
                    parts = {}
        raise LostError(say("the service ended the stream of events"))

    def inventories(self) -> tuple[InventoryInfo, ...]:
        """The inventories of the service."""
        return self._get("/inventories", InventoryPage).items

    def upload(self, name: str, upload: InventoryUpload) -> InventoryInfo:
        """Make or replace an inventory."""
        body = msgspec.json.encode(upload)
        return self._sent("PUT", f"/inventories/{_part(name)}", InventoryInfo, body)

    def users(self) -> tuple[UserInfo, ...]:
        """Who may sign in; this and what follows needs the token of an administrator."""
        return self._get("/users", UserList).items

    def change_user(self, user: str, to: UserChange) -> UserInfo:
        """Change a user, named by id or name; a token gives no rights."""
        body = msgspec.json.encode(to)
        return self._sent("PATCH", f"/users/{_part(user)}", UserInfo, body)

    def remove_user(self, user: str) -> None:
        """Remove a user with sessions and tokens."""
        with self._asked("DELETE", f"/users/{_part(user)}"):
            pass

    def audit(self, *, user: str = "", action: str = "") -> Iterator[AuditLine]:
        """The lines of the audit, the newest first, a page at a time."""
        return self._pages("/audit", AuditPage, {"user": user, "action": action})

    def _pages(self, path: str, kind: type[Any], query: dict[str, Any]) -> Iterator[Any]:
        query = {"limit": 500, **query}
        while True:
            page = self._get(path, kind, query)
            yield from page.items
            if not page.next:
                return
            query["cursor"] = page.next

    def _get(self, path: str, kind: type[T], query: dict[str, Any] | None = None) -> T:
        with self._streamed(path, query or {}) as answer:
            return decoded(answer.content, kind)

    def _sent(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> T:
        typed = {"Content-Type": "application/json"} if body else {}
        with self._asked(method, path, data=body, headers={**typed, **(headers or {})}) as answer:
            return decoded(answer.content, kind)

    def _streamed(
        self, path: str, query: dict[str, Any], headers: dict[str, str] | None = None
    ) -> Any:
        return self._asked("GET", path, params=query, headers=headers, stream=True)

    @contextmanager
    def _asked(self, method: str, path: str, **given: Any) -> Iterator[requests.Response]:
        """An answer; errors, also those while it is read, in volact's words."""
        try:
            with self._session.request(
                method, f"{self._url}{path}", timeout=_TIMES, allow_redirects=False, **given
            ) as answer:
                if answer.status_code >= 300:
                    raise refused(answer)
                yield answer
        except _LOST as error:
            raise LostError(unreachable(self._url, error)) from error
        except requests.RequestException as error:
            raise ServiceError(unreachable(self._url, error)) from error


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def require_safe(url: str) -> None:
    """A token goes by TLS, or stays on this machine."""
    parts = address_parts(url)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise InputError(
            say("{url}: a token is not sent without TLS", url=raw(url)), say("write https://")
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _part(name: str) -> str:
    """A name as a part of a path; a ``/`` in it is written ``~1``, a ``~`` as ``~0``."""
    return quote(name.replace("~", "~0").replace("/", "~1"), safe="")


def _said(spec: RunSpec) -> dict[str, Any]:
    """What is asked for: an older service refuses fields that it has not, used or not."""
    usual = msgspec.to_builtins(RunSpec(verb=spec.verb, inventory=""))
    said = msgspec.to_builtins(spec)
    return {name: value for name, value in said.items() if name == "verb" or value != usual[name]}


def _query(filter: ServerFilter) -> dict[str, Any]:
    """A filter as parameters of a request."""
    given = msgspec.to_builtins(filter)
    usual = msgspec.to_builtins(ServerFilter())
    return {
        _WORDS.get(name, name): str(value).lower() if isinstance(value, bool) else value
        for name, value in given.items()
        if value != usual[name] and name not in ("scopes", "run")
    }
