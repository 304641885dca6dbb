"""The typed client against a service behind a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from service_parts import actor, fill, parts, put_run, run_info, served_store
from service_running import running

from volact.client.answers import RunProgress
from volact.client.client import Client
from volact.client.failures import ServiceError
from volact.client.inventories import InventoryUpload
from volact.client.wire import NewUser, RunSpec, UserChange
from volact.errors import InputError
from volact.model.report import RunReport, ServerReport
from volact.queries.filters import ServerFilter
from volact.service.app import utc_now
from volact.service.application import application
from volact.service.identity import users
from volact.service.identity.audit import SYSTEM, changing
from volact.service.settings import ServiceSettings
from volact.store.store import Store
from volact.store.tables import RUNS as STORED_RUNS

SPEC = RunSpec(verb="check", inventory="main")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with served_store(tmp_path) as opened:
        fill(opened)
        yield opened


@pytest.fixture
def service(store: Store) -> Iterator[Client]:
    who = actor("administrator")
    app = application(parts(store, type(who)(**_token(who))))
    with running(app) as url, Client(url, "token") as client:
        yield client


def _token(who: Any) -> dict[str, Any]:
    return {name: getattr(who, name) for name in who.__struct_fields__} | {"via": "token"}


def test_servers_and_runs(service: Client) -> None:
    assert service.me().name == "ada"
    assert [server.name for server in service.servers()] == ["a/b?c", "db-01", "web-01", "web-02"]
    filter = ServerFilter(tags=("web",), verdicts=("healthy", "failed"), overdue=False)
    assert [server.name for server in service.servers(filter)] == ["web-01"]
    assert service.server("a/b?c").server.name == "a/b?c"
    assert service.fleet(filter).summary.servers == 1
    assert [look.run for look in service.history("web-01").looks] == ["bb22", "aa11"]
    assert [run.id for run in service.stored_runs(1)] == ["bb22"]
    assert service.diff("aa11", "bb22").summary.better == 1
    assert [row.name for row in service.rows("bb22", filter)] == ["web-01"]
    assert service.plan("bb22").healthy == 3


def test_stored_runs_come_by_pages(store: Store, service: Client) -> None:
    first, *others = service.stored_runs(5000)
    assert [first.id, *(run.id for run in others)] == ["bb22", "aa11"]
    values = [
        {"id": f"r{at}", "begun": f"2026-01-01T00:00:00.{at % 1000:03}Z", "command": "check",
         "started": "", "volact": "", "words": "", "finished": True, "pruned": False}
        for at in range(1200)
    ]  # fmt: skip
    store.change(lambda connection: connection.execute(sa.insert(STORED_RUNS), values))
    assert len({run.id for run in service.stored_runs(1201)}) == 1201
    assert len(service.stored_runs(5000)) == 1202


def test_a_run_is_found_by_its_whole_id_however_old_it_is(store: Store, service: Client) -> None:
    values = [
        {"id": f"r{at}", "begun": f"2099-01-01T00:00:00.{at % 1000:03}Z", "command": "check",
         "started": "", "volact": "", "words": "", "finished": True, "pruned": False}
        for at in range(1000)
    ]  # fmt: skip
    store.change(lambda connection: connection.execute(sa.insert(STORED_RUNS), values))
    assert service.find_run("aa11").summary.servers == 2
    assert service.find_run("r7").id == "r7"
    for text in ("aa12", "last~5000", "", "a/b"):
        with pytest.raises(InputError, match="there is no run"):
            service.find_run(text)


def test_users_and_the_audit(service: Client, store: Store) -> None:
    with changing(store, utc_now(), SYSTEM) as change:
        eve = users.add(change, NewUser(name="eve/~x", role="operator"))
    to = UserChange(role="viewer", scopes=("tag:web",))
    assert service.change_user("eve/~x", to).scopes == ("tag:web",)
    assert [(user.id, user.role) for user in service.users()] == [(eve.id, "viewer")]
    with pytest.raises(InputError, match="not a token"):
        service.change_user(eve.id, UserChange(role="operator"))
    service.remove_user(eve.id)
    assert [(line.action, line.object) for line in service.audit(user="ada")] == [
        (action, "eve/~x") for action in ("user.removed", "user.changed")
    ]


def test_a_run_from_submission_to_report(service: Client, store: Store) -> None:
    run = service.submit(SPEC)
    assert service.run(run.id).state == "queued"
    assert service.steer(run.id, "cancel").state == "cancelled"
    assert [each.run.state for each in service.progress(run.id)][-1] == "cancelled"
    *rows, end = service.reports("bb22")
    assert [row.name for row in rows if isinstance(row, ServerReport)] == [
        "a/b?c", "db-01", "web-01", "web-02",
    ]  # fmt: skip
    assert isinstance(end, RunReport)
    assert end.run == "bb22"


def test_progress_goes_on_until_the_run_is_over(service: Client, store: Store) -> None:
    put_run(store.engine, run_info("cc33", state="running"))
    seen: list[str] = []
    for progress in service.progress("cc33"):
        if not seen:
            put_run(store.engine, run_info("cc33", state="done"))
        seen.append(progress.run.state)
    assert (seen[0], seen[-1]) == ("running", "done")


def test_inventories(service: Client) -> None:
    text = '[[server]]\nname = "a"\naddress = "ssh://a"\n'
    assert service.upload("main", InventoryUpload(file="fleet.toml", text=text)).servers == 1
    assert [each.name for each in service.inventories()] == ["main"]


def test_errors_are_one_line(service: Client) -> None:
    with pytest.raises(InputError, match="there is no such server"):
        service.server("none")
    with pytest.raises(InputError, match="canary: no number") as wrong:
        service.submit(RunSpec(verb="activate", inventory="main", canary="wrong"))
    assert wrong.value.hint == "write N or N%"


@pytest.mark.parametrize("url", ["http://volact.example", "volact.example", "ftp://x", "http://"])
def test_a_token_is_sent_by_tls_alone(url: str) -> None:
    with pytest.raises(InputError):
        Client(url, "token")


def test_a_service_that_is_not_there(closed_port: int) -> None:
    told = f"127.0.0.1:{closed_port} cannot be reached: Connection refused"
    with (
        Client(f"http://127.0.0.1:{closed_port}", "token") as client,
        pytest.raises(ServiceError, match=told),
    ):
        client.me()


def test_a_proxy_that_is_not_there_is_named(
    closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the service, whose address stands in the same line."""
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("no_proxy", "")
    told = "volact.example cannot be reached: the proxy does not connect: Connection refused"
    with Client("https://volact.example", "token") as client, pytest.raises(ServiceError) as caught:
        client.me()
    assert caught.value.line() == told


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
    ],
)
def test_what_is_no_service(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=speak)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Client(url, "token") as client, pytest.raises(ServiceError) as wrong:
            client.me()
        thread.join()
    assert "\n" not in str(wrong.value)


def test_too_many_requests_say_when_the_next_is_taken(store: Store) -> None:
    settings = ServiceSettings(database=store.address, requests_a_minute=0)
    with (
        running(application(parts(store, actor("viewer"), settings=settings))) as url,
        Client(url, "token") as client,
        pytest.raises(InputError, match="too many requests"),
    ):
        client.me()


def test_progress_outlives_a_service_that_is_restarted() -> None:
    run = RunProgress(run=run_info("cc33", state="running"))
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    data = msgspec.json.encode(run)
    asked: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            for name in (b"progress", b"", b"end"):  # the first ends within its answer
                connection, _ = listener.accept()
                asked.append(time.monotonic())
                with connection:
                    connection.recv(65536)
                    event = b"event: %s\nid: 1\ndata: %s\n\n" % (name, data)
                    if name:
                        connection.sendall(head + b"%x\r\n%s\r\n" % (len(event), event))

        thread = threading.Thread(target=speak)
        thread.start()
        with Client(f"http://127.0.0.1:{listener.getsockname()[1]}", "token") as client:
            assert [*client.progress("cc33")] == [run, run]
        thread.join()
    assert asked[2] - asked[1] >= 1  # it takes a moment
