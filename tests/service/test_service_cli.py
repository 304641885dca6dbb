"""``--service``: the verbs over a service behind a real socket, with the usual reports."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cli_process import FORKED
from cli_run import volact
from forked_volact import ForkedVolact
from litestar import Litestar, Response, get, post
from service_parts import NOW, WrittenRuns, fill, parts, put_run, run_info, served_store
from service_running import running
from store_samples import WRONG_HOST, keep, row

from volact.client.answers import RunProgress
from volact.client.wire import RunInfo, RunSpec
from volact.service.access import Actor
from volact.service.application import application

WHO = Actor(user="1", name="ada", role="operator", via="token")


class FinishedRuns(WrittenRuns):
    """Each run that is submitted is ``bb22``, which is over already."""

    run = "bb22"
    state = "done"
    note = "why"

    async def submit(
        self, spec: RunSpec, actor: Actor, *, schedule: str = "", needs_approval: bool = False
    ) -> RunInfo:
        self.submitted.append(spec)
        info = run_info(self.run, spec=spec, state=self.state, servers=4, begun=NOW, note=self.note)
        put_run(self.engine, info)
        return info


class Service:
    """A service that runs, and what it was asked for."""

    def __init__(self, url: str, runs: FinishedRuns) -> None:
        self.url, self.runs = url, runs

    def __call__(self, verb: str, *words: str) -> Any:
        return volact(verb, *words, "--service", self.url)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("VOLACT_TOKEN", "token")
    with served_store(tmp_path) as store:
        fill(store)
        runs = FinishedRuns(store.engine)
        made = parts(store, WHO, runs=runs)
        with running(application(made)) as url:
            yield Service(url, runs)


def test_a_run_is_submitted_and_reported(service: Service) -> None:
    done = service("check", "-i", "main", "--limit", "web", "--exclude", "web-09", "-o", "json")
    assert done.returncode == 4, done.stderr  # web-02 could not be reached
    assert [row["name"] for row in json.loads(done.stdout)["servers"]] == [
        "a/b?c", "db-01", "web-01", "web-02",
    ]  # fmt: skip
    assert service.runs.submitted == [
        RunSpec(verb="check", inventory="main", limit=("web", "!web-09"))
    ]


@pytest.mark.parametrize(
    ("verb", "words", "targets", "limit"),
    [
        ("activate", ("web", "--limit", "prod"), ("web",), ("prod",)),
        ("activate", ("web,db", "--exclude", "db-01"), ("web,db",), ("!db-01",)),
        ("activate", ("web", "!web-02"), (), ("web", "!web-02")),
        ("undo", ("aa11", "web", "--limit", "&prod"), ("web",), ("&prod",)),
    ],
)
def test_targets_are_narrowed_by_limits(
    service: Service, verb: str, words: tuple[str, ...], targets: tuple[str, ...],
    limit: tuple[str, ...],
) -> None:  # fmt: skip
    service(verb, *words, "-i", "main", "--yes")
    (spec,) = service.runs.submitted
    assert (spec.targets, spec.limit) == (targets, limit)


def test_an_older_service_is_not_given_what_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VOLACT_TOKEN", "token")
    document: dict[str, Any] = {
        "components": {"schemas": {"RunSpec": {"properties": {"limit": {}}}}}
    }

    @get("/api/v1/openapi.json")
    async def older() -> dict[str, Any]:
        return document

    @post("/api/v1/runs")
    async def submitted() -> None:
        submissions.append(1)

    submissions: list[int] = []
    with running(Litestar([older, submitted])) as url:
        words = ("activate", "web", "--limit", "prod", "-i", "main", "--yes", "--service", url)
        done = volact(*words)
    assert (done.returncode, submissions) == (2, [])
    assert "the service is older: it does not take both targets and --limit" in done.stderr


def test_a_report_is_written(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "run.csv"
    done = service("activate", "-i", "main", "--yes", "--canary", "1", "--report", f"csv={file}")
    assert done.returncode == 4, done.stderr
    assert "web-02" in file.read_text("utf-8")
    assert service.runs.submitted[0].canary == "1"


def test_a_dry_run_is_a_plan(service: Service) -> None:
    service("activate", "-i", "main", "--dry-run", "--allow", "rearm")
    (spec,) = service.runs.submitted
    assert (spec.verb, spec.policy.consent) == ("plan", frozenset({"rearm"}))


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("plan", ("--allow", "add-route")),
        ("activate", ("--override-entitlement", "own it", "--dry-run")),
        ("check", ()),
    ],
)
def test_the_advised_command_does_what_was_agreed(
    service: Service, verb: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    wrong = msgspec.structs.replace(WRONG_HOST, repair="automatic")
    found = row("web-01", "attention", findings=(wrong,), plan=({"do": "x"},) if words else ())
    service.runs.run = "cc33"
    keep(str(tmp_path / "volact.db"), "cc33", found)
    done = service(verb, "-i", "main", "--limit", "web-01", "--deadline", "300", *words)
    (advised,) = (line for line in done.stdout.splitlines() if "volact activate " in line)
    again = volact(*shlex.split(advised.partition("volact ")[2]))
    assert again.returncode != 2, again.stderr
    first, second = service.runs.submitted
    assert second == msgspec.structs.replace(first, verb="activate")


def test_an_undo_names_its_run(service: Service) -> None:
    service("undo", "aa11", "web-01", "-i", "main", "--yes")
    (spec,) = service.runs.submitted
    assert (spec.verb, spec.undo, spec.limit) == ("undo", "aa11", ("web-01",))


def test_a_run_that_came_to_no_end_is_a_failure(service: Service) -> None:
    service.runs.state = "cancelled"
    done = service("check", "-i", "main")
    assert (done.returncode, "run bb22 is cancelled: why" in done.stderr) == (1, True)
    service.runs.note = ""  # of one that a person cancelled
    done = service("check", "-i", "main")
    assert (done.returncode, "run bb22 is cancelled\n" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("events", "report", "told"),
    [
        (503, 503, "run bb22 goes on at the service: {url}/runs/bb22"),
        (403, 503, "run bb22 goes on at the service: {url}/runs/bb22"),
        (200, 503, "run bb22 is at the service: {url}/runs/bb22"),
    ],
)
def test_a_run_whose_service_fails_meanwhile_is_named(
    events: int, report: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOLACT_TOKEN", "token")
    run = run_info("bb22", servers=4, begun=NOW)
    ended = msgspec.json.encode(RunProgress(run=run)).decode()

    @post("/api/v1/runs")
    async def submitted() -> RunInfo:
        return run

    @get("/api/v1/runs/bb22/events")
    async def progress() -> Response[str]:
        return Response(f"event: end\nid: 1\ndata: {ended}\n\n", status_code=events)

    @get("/api/v1/runs/bb22/report")
    async def reports() -> Response[str]:
        return Response("", status_code=report)

    with running(Litestar([submitted, progress, reports])) as url:
        done = volact("check", "-i", "main", "--service", url, "--report", f"csv={tmp_path / 'r'}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-2] == f"volact: {told.format(url=url)}"
    assert [*tmp_path.iterdir()] == []


@FORKED
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_and_not_the_run(end: signal.Signals, tmp_path: Path) -> None:
    @post("/api/v1/runs")
    async def submitted() -> RunInfo:
        return run_info("bb22", servers=4, begun=NOW)

    @get("/api/v1/runs/bb22/events")
    async def progress() -> None:
        followed.set()
        await asyncio.Event().wait()

    followed = threading.Event()
    with running(Litestar([submitted, progress])) as url:
        words = ("check", "-i", "main", "--service", url, "--report", f"csv={tmp_path / 'r'}")
        with ForkedVolact(*words, env={**os.environ, "VOLACT_TOKEN": "token"}) as process:
            followed.wait()
            process.send_signal(end)
            out, told = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert f"volact: run bb22 goes on at the service: {url}/runs/bb22\n" in told
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("check", "-i", "main", "--user", "x"), "--user does not go with --service"),
        (("check", "-i", "main", "--from", "tencent:x"), "--from does not go with --service"),
        (("check",), "-i names an inventory of the service"),
        (("activate", "-i", "main"), "add --yes"),
        (("activate", "-i", "main", "--yes", "--report", "htm=x"), "not FORMAT=FILE"),
        (("check", "-i", "main", "--report", "csv=no-such-folder/r.csv"), "No such file"),
        (("diff", "--limit", "x"), "--limit does not go with --service"),
        (("diff", "zz", "last"), "there is no run zz"),
        (("history", "none"), "there is no such server"),
    ],
)
def test_wrong_input(service: Service, words: tuple[str, ...], told: str) -> None:
    done = service(*words)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert not service.runs.submitted


def test_the_store_of_the_service_is_read(service: Service) -> None:
    status = json.loads(service("status", "-o", "json").stdout)
    assert (status["summary"]["servers"], len(status["servers"])) == (4, 4)
    assert status["last_run"]["id"] == "bb22"
    assert "web-02" in service("status").stdout
    assert [run["id"] for run in json.loads(service("runs", "-o", "json").stdout)["runs"]] == [
        "bb22", "aa11",
    ]  # fmt: skip
    looks = json.loads(service("history", "web-01", "-o", "json").stdout)["looks"]
    assert [look["run"] for look in looks] == ["bb22", "aa11"]
    changed = json.loads(service("diff", "-o", "json").stdout)
    assert changed["summary"]["better"] == 1


def test_the_servers_of_a_limit_are_told_apart_and_known(service: Service) -> None:
    done = service("status", "--limit", "web-01,db-01", "--limit", "!db-*", "-o", "json")
    assert [row["name"] for row in json.loads(done.stdout)["servers"]] == ["web-01"]
    done = service("status", "--limit", "web-01,web-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no server web-1 in the store" in done.stderr
    assert "did you mean web-01" in done.stderr


def test_more_runs_than_a_page_of_the_service_has(service: Service) -> None:
    done = service("runs", "--last", "1000", "-o", "json")
    assert done.returncode == 0, done.stderr
    assert [run["id"] for run in json.loads(done.stdout)["runs"]] == ["bb22", "aa11"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://[v", "https://[v"),
        ("https://v:abc", "https://v:abc"),
        ("https://a..b", "https://a..b"),
        ("https://v:0", "https://v:0"),
        ("https://a b", "https://a b"),
        ("volact.example", "volact.example"),
        ("https://ada:hunter2@v", "https://…@v"),
        ("https://v?token=x", "https://v?…"),
    ],
)
def test_an_address_that_is_none_is_one_line(url: str, shown: str) -> None:
    done = volact("status", "--service", url)
    said = (
        f"volact: '{shown}' is not the address of a service (for example: https://volact.example)\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


@pytest.mark.parametrize("token", ["日本", "é", "a\nb", "a b", "a\x01b", "a\udce9"])
def test_a_token_that_is_none_is_one_line(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLACT_TOKEN", token)
    done = volact("status", "--service", "https://volact.example")
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "volact: the token for https://volact.example has characters that no token has "
        "(copy it again, without spaces or line breaks)\n",
    )


def test_a_name_that_is_no_text_is_one_line(service: Service) -> None:
    for words in (("status",), ("check", "-i", "main")):
        done = service(*words, "--limit", "web-\udce9")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "volact: 'web-\\udce9': is not UTF-8 text\n"


def test_where_the_token_is(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VOLACT_TOKEN")
    done = service("status")
    assert (done.returncode, "there is no token for" in done.stderr) == (2, True), done.stderr
    file = tmp_path / "token"
    monkeypatch.setenv("VOLACT_TOKEN_FILE", str(file))
    for content in ("", "\na-token\n"):
        file.write_text(content, "utf-8")
        done = service("status")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"volact: {file}: the first line is empty")
    file.write_text("a-token\n", "utf-8")
    assert service("status").returncode == 0
