"""The client where the service is restarted, at work, behind a proxy, or newer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NamedTuple

import msgspec
import pytest
from service_parts import run_info

from volact.client.answers import RunProgress
from volact.client.client import Client
from volact.client.failures import ServiceError
from volact.client.wire import RunSpec
from volact.core.context import Policy
from volact.errors import VolactError

SPEC = RunSpec(verb="check", inventory="main")


class Answer(NamedTuple):
    """What is answered; without a status the connection is closed."""

    status: int = 0
    body: bytes = b"<html>Bad Gateway</html>"
    after: str = ""


class Sent(NamedTuple):
    """What came."""

    key: str
    body: bytes


@contextmanager
def answering(*answers: Answer) -> Iterator[tuple[Client, list[Sent]]]:
    """A service that gives these answers one after the other, and what it was sent."""
    sent: list[Sent] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Tests say nothing."""

        def do_GET(self) -> None:
            answer = answers[len(sent)]
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sent.append(Sent(self.headers.get("Idempotency-Key", ""), body))
            if not answer.status:
                return
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(answer.body)))
            if answer.after:
                self.send_header("Retry-After", answer.after)
            self.end_headers()
            self.wfile.write(answer.body)

        def do_POST(self) -> None:
            self.do_GET()

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            with Client(f"http://127.0.0.1:{server.server_port}", "token") as client:
                yield client, sent
        finally:
            server.shutdown()
            thread.join()


def event(name: str, state: str) -> Answer:
    run = msgspec.to_builtins(RunProgress(run=run_info("cc33", state="running")))
    run["run"]["state"] = state
    data = msgspec.json.encode(run)
    return Answer(200, b"event: %s\nid: 1\ndata: %s\n\n" % (name.encode(), data))


@pytest.mark.parametrize("status", [502, 503, 504])
def test_progress_outlives_a_proxy_without_its_service(status: int) -> None:
    with answering(event("progress", "running"), Answer(status), event("end", "done")) as (
        client, _,
    ):  # fmt: skip
        assert [each.run.state for each in client.progress("cc33")] == ["running", "done"]


def test_progress_heeds_a_problem_that_is_no_restart() -> None:
    with (
        answering(event("progress", "running"), Answer(500, b"{}")) as (client, sent),
        pytest.raises(ServiceError),
    ):
        [*client.progress("cc33")]
    assert len(sent) == 2


RUN = Answer(201, msgspec.json.encode(run_info("cc33", state="queued")))
AT_WORK = b'{"title":"Conflict","status":409,"detail":"a request with this key is at work"}'


@pytest.mark.parametrize(
    "before",
    [
        [Answer(), Answer(409, AT_WORK, "0")],  # the answer was lost, and the first is at work
        [Answer(429, after="0")], [Answer(502)], [Answer(503, after="0")], [Answer(504)],
    ],
)  # fmt: skip
def test_a_run_is_submitted_again_with_its_key(before: list[Answer]) -> None:
    with answering(*before, RUN) as (client, sent):
        assert client.submit(SPEC).id == "cc33"
    assert len(sent) == len(before) + 1
    assert len({each.key for each in sent}) == 1


def test_a_run_is_submitted_without_what_was_not_asked_for() -> None:
    """A service that is older refuses a field that it does not know."""
    spec = RunSpec(
        verb="activate", inventory="main", limit=("web",), policy=Policy(replace_key=True)
    )
    with answering(RUN) as (client, sent):
        client.submit(spec)
    assert msgspec.json.decode(sent[0].body, type=RunSpec) == spec
    assert set(msgspec.json.decode(sent[0].body)) == {"verb", "inventory", "limit", "policy"}


@pytest.mark.parametrize("answer", [Answer(409, AT_WORK), Answer(422, b"{}"), Answer(500, b"{}")])
def test_a_refusal_is_not_asked_again(answer: Answer) -> None:
    with answering(answer, RUN) as (client, sent), pytest.raises(VolactError):
        client.submit(SPEC)
    assert len(sent) == 1


UNREADABLE = "something else than this volact expects"


def test_a_state_of_a_newer_service_is_an_error_of_one_line() -> None:
    with (
        answering(event("progress", "verifying")) as (client, _),
        pytest.raises(ServiceError, match=UNREADABLE),
    ):
        next(client.progress("cc33"))


@pytest.mark.parametrize(
    "report",
    [b'{"name":"a","address":"x","verdict":"brandnew"}\n{"summary":{}}\n', b'{"format":7}\n', b""],
    ids=["verdict", "end", "nothing"],
)
def test_a_report_of_a_newer_service_is_an_error_of_one_line(report: bytes) -> None:
    with (
        answering(Answer(200, report)) as (client, _),
        pytest.raises(ServiceError, match=UNREADABLE),
    ):
        [*client.reports("bb22")]
