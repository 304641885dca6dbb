"""The verbs on a simulated fleet behind real SSH: what the whole of volact comes to."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import msgspec
import pytest
from cli_process import AGAIN_S, started
from cli_run import Done, volact
from forked_volact import ForkedVolact
from jsonschema_rs import Draft202012Validator
from lab_thread import drawn_lab
from prometheus_client.parser import text_string_to_metric_families

from volact.child_process import own_group
from volact.cli.child_lab import child_lab
from volact.model.report import RunReport, ServerReport
from volact.report.base import Invocation
from volact.report.make import FILE_FORMATS
from volact.report.terminal_writer import TerminalWriter
from volact.report.text_table import TextWriter
from volact_lab.fleet import fleet as drawn
from volact_lab.scenario import load_scenario

# One lab for all of them, also when tests run side by side.
pytestmark = pytest.mark.xdist_group("cli-lab")

VOLACT = [sys.executable, "-m", "volact"]
SERVERS = 60
SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "report.json"
# For servers that all answer.
PATIENT = ("--deadline", "900", "--connect-timeout", "300")
# It ends by its deadline only.
SPECS = drawn(load_scenario("tencent"), SERVERS, 7)
HANGING = [spec.name for spec in SPECS if "hang" in spec.faults]
ANSWERING = [spec.name for spec in SPECS if "hang" not in spec.faults]


@pytest.fixture(scope="module")
def fleet() -> Iterator[str]:
    """The inventory of a lab with every fault, in which nothing is ever changed."""
    with drawn_lab("tencent", SERVERS, 7) as inventory:
        yield str(inventory)


def test_a_demo_without_its_scenario_does_not_start() -> None:
    done = volact("demo", "--scenario", "nope", "--html", "report.html")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("volact: unknown scenario 'nope' (")
    assert done.stderr.count("\n") == 1


class Examined(NamedTuple):
    """What checks told of the fleet: as one document, as text, and as pages."""

    document: dict[str, Any]
    texts: list[str]
    pages: list[str]


@pytest.fixture(scope="module")
def examined(fleet: str, tmp_path_factory: pytest.TempPathFactory) -> Examined:
    """A check of those that answer, however long that takes, and of those that hang, which
    have little time.
    """
    found = Examined({}, [], [])
    documents = []
    for servers, deadline in ((ANSWERING, PATIENT), (HANGING, ("--deadline", "3"))):
        folder = tmp_path_factory.mktemp("examined")
        reports = ("--report", f"json={folder / 'r.json'},html={folder / 'r.html'}")
        done = volact("check", "-i", fleet, "-v", "--limit", ",".join(servers), *reports, *deadline)
        assert done.returncode == 4
        documents.append(json.loads((folder / "r.json").read_text("utf-8")))
        found.texts.extend((done.stdout, done.stderr))
        found.pages.append((folder / "r.html").read_text("utf-8"))
    first, second = documents
    summary = {word: count + second["summary"][word] for word, count in first["summary"].items()}
    found.document.update(first, servers=first["servers"] + second["servers"], summary=summary)
    return found


@pytest.fixture(scope="module")
def seen(examined: Examined) -> dict[str, Any]:
    """What the fleet is told to be."""
    return examined.document


class Healed(NamedTuple):
    """A lab like that one after an activation, but for the server that hangs."""

    servers: tuple[str, ...]  # the options that choose them
    reports: dict[str, str]  # of the activation, by format, and its standard output

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.reports["json"]))


@pytest.fixture(scope="module")
def healed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Healed]:
    folder = tmp_path_factory.mktemp("healed")
    files = {kind: folder / f"r.{kind}" for kind in FILE_FORMATS}
    several = ",".join(f"{kind}={file}" for kind, file in files.items())
    with drawn_lab("tencent", SERVERS, 7) as inventory:
        servers = ("-i", str(inventory), "--limit", ",".join(ANSWERING), *PATIENT)
        done = volact("activate", "--yes", *servers, "--report", several)
        assert done.returncode == 4
        texts = {kind: file.read_text("utf-8") for kind, file in files.items()}
        yield Healed(servers, {**texts, "stdout": done.stdout})


def names(document: dict[str, Any], finding: str, release: str = "") -> list[str]:
    return [
        row["name"]
        for row in document["servers"]
        if any(found["id"] == finding for found in row["findings"])
        and release in (row["os"]["release"], "")
    ]


def test_check_gives_a_row_to_every_server_and_changes_none(seen: dict[str, Any]) -> None:
    assert len({row["name"] for row in seen["servers"]}) == SERVERS
    assert seen["summary"]["servers"] == SERVERS
    assert seen["summary"]["changed"] == 0
    assert all(row["results"] == [] for row in seen["servers"])
    kinds = {row["error"]["kind"] for row in seen["servers"] if row["error"]}
    assert kinds == {"auth", "host-key-changed", "connect", "timeout", "protocol"}


def test_plan_prints_the_console_commands_of_the_document(fleet: str, seen: dict[str, Any]) -> None:
    name = names(seen, "kms-host-wrong", "2016")[0]
    done = volact("plan", "-i", fleet, "--limit", name, "--format", "commands")
    assert done.returncode == 3
    # Where the reach of the KMS host is uncertain, a line says how it is put back.
    typed = [line for line in done.stdout.splitlines() if not line.startswith("rem if ")]
    assert typed == [
        "cscript /nologo %windir%/system32/slmgr.vbs -skms kms1.tencentyun.com:1688",
        "cscript /nologo %windir%/system32/slmgr.vbs -ato",
    ]


README = Path(__file__).parents[2] / "README.md"
_TIMES = re.compile(r"\d+ d left|\d{4}-\d\d-\d\d|\s+")


def test_the_readme_shows_what_check_says_of_one_server(seen: dict[str, Any]) -> None:
    address, login = "ssh://10.0.0.5", "--password-env VOLACT_PASSWORD"
    typed = {address: "ssh://Administrator@10.0.0.5"}
    how = Invocation(volact="", command="check", login=login, typed=typed)
    (row,) = (row for row in seen["servers"] if row["name"] == "report-08")
    out = io.StringIO()
    writer = TextWriter(TerminalWriter(out), how)
    writer.add(msgspec.convert({**row, "name": "10.0.0.5", "address": address}, type=ServerReport))
    writer.finish(msgspec.convert(seen, type=RunReport))
    shown = README.read_text("utf-8").partition(f"$ volact check {typed[address]} {login}\n")[2]
    shown = shown.partition("**4.")[0]
    assert _TIMES.sub(" ", shown).strip() == _TIMES.sub(" ", out.getvalue()).strip()


def test_commands_for_several_servers_name_each(fleet: str, seen: dict[str, Any]) -> None:
    few = names(seen, "kms-host-wrong")[:2]
    done = volact("plan", "-i", fleet, "--limit", ",".join(few), "--format", "commands")
    heads = [line for line in done.stdout.splitlines() if re.match("rem (?!if )", line)]
    assert sorted(line.split()[1] for line in heads) == sorted(few)


def test_plan_as_text_numbers_the_steps(fleet: str, seen: dict[str, Any]) -> None:
    name = names(seen, "kms-host-wrong")[0]
    text = volact("plan", "-i", fleet, "--limit", name).stdout
    assert "1. set-kms-host" in text
    assert "2. activate" in text
    assert "Nothing was changed." in " ".join(text.split())  # however wide the time is
    again = volact("activate", "-i", fleet, "--limit", name, "--dry-run").stdout
    assert again.splitlines()[:3] == text.splitlines()[:3]


def ask(answer: str, *args: str) -> tuple[int, str, str]:
    """Run a verb whose questions are answered at a terminal."""
    master, slave = pty.openpty()
    with ForkedVolact(*args, stdin=slave) as process:
        os.close(slave)
        told = process.read_until("[y/N]")
        os.write(master, answer.encode())
        out, _ = process.communicate()
    os.close(master)
    assert process.returncode is not None
    return process.returncode, out, told


def test_activate_asks_and_takes_no_for_an_answer(fleet: str, seen: dict[str, Any]) -> None:
    name = names(seen, "kms-host-wrong")[0]
    code, out, told = ask("n\n", "activate", "-i", fleet, "--limit", name, "--output", "json")
    document = json.loads(out)
    assert code == 3
    assert document["summary"]["changed"] == 0
    assert document["servers"][0]["plan"]
    assert "1. set-kms-host" in told
    # A KMS host of uncertain reach is put back if the activation fails: one step more.
    assert re.search(r"Apply [23] steps to 1 server\?", told)


def interrupted(process: ForkedVolact) -> int:
    """Its exit code after Ctrl-C at a question."""
    for _ in range(10):
        process.send_signal(signal.SIGINT)
        if (code := process.wait(AGAIN_S)) is not None:
            return code
    raise AssertionError("it takes no notice of Ctrl-C")


def test_ctrl_c_at_the_question_changes_nothing(fleet: str, seen: dict[str, Any]) -> None:
    name = names(seen, "kms-host-wrong")[0]
    master, slave = pty.openpty()
    with ForkedVolact("activate", "-i", fleet, "--limit", name, stdin=slave) as process:
        os.close(slave)
        process.read_until("[y/N]")
        code = interrupted(process)
    os.close(master)
    assert code in {1, 130}
    after = json.loads(volact("check", "-i", fleet, "--limit", name, "--output", "json").stdout)
    assert names(after, "kms-host-wrong") == [name]


def test_activate_applies_what_was_agreed_to() -> None:
    with drawn_lab("simple", 4, 5) as fleet:
        before = json.loads(volact("check", "-i", str(fleet), "--output", "json").stdout)
        name = names(before, "kms-host-wrong")[0]
        code, out, _ = ask("y\n", "activate", "-i", str(fleet), "--limit", name, "--output", "json")
    row = json.loads(out)["servers"][0]
    assert (code, row["verdict"]) == (0, "healthy")
    assert row["executions"] == 2
    assert "kms-host-wrong" in row["resolved"]


def test_activate_heals_the_fleet(healed: Healed) -> None:
    summary = healed.document["summary"]
    assert summary["healthy"] >= 40
    assert summary["changed"] >= 20


def test_every_format_tells_of_every_server(healed: Healed) -> None:
    document, told = healed.document, healed.reports
    lines = told["jsonl"].splitlines()
    assert [json.loads(line) for line in lines[:-1]] == document["servers"]
    rows = {row["name"]: row["verdict"] for row in csv.DictReader(io.StringIO(told["csv"]))}
    assert rows == {row["name"]: row["verdict"] for row in document["servers"]}
    assert all(f"<b>{name}</b>" in told["html"] for name in rows)
    assert told["text"] == told["stdout"]
    cases = ET.fromstring(told["junit"]).iter("testcase")
    assert {case.get("name") for case in cases} == set(rows)


def test_the_documents_fit_their_schema(seen: dict[str, Any], healed: Healed) -> None:
    schema = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    for document in (seen, healed.document):
        assert [error.message for error in schema.iter_errors(document)] == []


def test_monitoring_reads_the_run(healed: Healed) -> None:
    metrics = {
        m.name: m.samples for m in text_string_to_metric_families(healed.reports["prometheus"])
    }
    document = healed.document
    licensed = {s.labels["server"]: s.value for s in metrics["volact_server_licensed"]}
    for row in document["servers"]:
        status = row["license"]["status"]
        known = row["error"] is None and status is not None
        assert licensed.get(row["name"]) == (float(status == "licensed") if known else None)
    off = {s.labels["server"]: s.value for s in metrics["volact_server_clock_skew_seconds"]}
    assert off
    assert off == {
        row["name"]: row["clock_skew_s"]
        for row in document["servers"]
        if row["error"] is None and row["clock_skew_s"] is not None
    }
    assert all(0 < s.value <= 180 for s in metrics["volact_server_days_left"])


def test_a_second_activate_changes_nothing(healed: Healed) -> None:
    done = volact("activate", "--yes", *healed.servers, "--output", "json")
    document = json.loads(done.stdout)
    assert document["summary"] == {**healed.document["summary"], "changed": 0}
    healthy = [row for row in document["servers"] if row["verdict"] == "healthy"]
    assert all(row["executions"] == 1 for row in healthy)


def test_who_cannot_be_told_is_1_only_where_nothing_else_is_wrong(
    healed: Healed,
) -> None:
    document = healed.document
    well = next(row["name"] for row in document["servers"] if row["verdict"] == "healthy")
    ill = next(row["name"] for row in document["servers"] if row["verdict"] == "attention")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        hook = ("--notify", f"http://127.0.0.1:{closed.getsockname()[1]}/s3cret")
        fine, wrong = (
            volact("check", *healed.servers[:2], "--limit", name, "-o", "json", *PATIENT, *hook)
            for name in (well, ill)
        )
    assert (fine.returncode, wrong.returncode) == (1, 3)
    for done in (fine, wrong):
        assert "not sent: " in done.stderr
        assert "s3cret" not in done.stdout + done.stderr
        assert json.loads(done.stdout)["summary"]["servers"] == 1


def test_no_secret_of_the_fleet_is_in_any_output(fleet: str, examined: Examined) -> None:
    secrets = [
        file.read_text().strip()
        for file in Path(fleet).parent.iterdir()
        if file.suffix in {".password", ".key"}
    ]
    assert secrets
    assert all(f"<b>{spec.name}</b>" in "".join(examined.pages) for spec in SPECS)
    for text in (*examined.texts, *examined.pages):
        assert not any(secret in text for secret in secrets)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Path]:
    """What a demo of two dozen servers printed, and its page."""
    page = tmp_path_factory.mktemp("demo") / "d.html"
    patient = ("--deadline", "300")  # no server of this scenario keeps silent
    fleet = ("--scenario", "simple", "--servers", "24", "--seed", "3")
    return volact("demo", *fleet, *patient, "--html", str(page)), page


def test_demo_shows_before_and_after_and_ends_its_lab(shown: tuple[Done, Path]) -> None:
    done, page = shown
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("verdict")
    assert "24 servers: 24 healthy; changed " in done.stdout
    assert "<small>was " in page.read_text("utf-8")
    assert f"the report is in {page}" in done.stderr


def test_the_commands_that_end_a_demo_run_as_printed(
    shown: tuple[Done, Path], tmp_path: Path
) -> None:
    done, page = shown
    said = done.stdout.partition("note: ")[2].splitlines()
    serve, check = (line.strip() for line in said if line.startswith("  volact "))
    on_page = re.sub("</?i>", "", page.read_text("utf-8"))
    assert all(f"<code>{command}</code>" in on_page for command in (serve, check))
    assert serve == "volact lab serve --scenario simple --servers 24 --seed 3"
    again, ready = [*VOLACT, *serve.split()[1:], "--ready-file", "up"], tmp_path / "up"
    with started(again, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        while not ready.exists() and process.poll() is None:
            time.sleep(0.02)
        words = [*check.split()[1:], "--no-store", "--output", "json"]
        with ForkedVolact(*words, cwd=tmp_path) as checked:
            out, _ = checked.communicate()
        process.terminate()
    summary = json.loads(out)["summary"]
    assert (checked.returncode, summary["servers"], summary["unreachable"]) == (3, 24, 0)


def test_a_lab_finds_volact_where_this_process_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single file is on the path of its own process alone."""
    program = tmp_path / "python"
    lab = (
        "import os, sys\n"
        "ready = sys.argv[sys.argv.index('--ready-file') + 1]\n"
        f"open({str(tmp_path / 'path')!r}, 'w').write(os.environ.get('PYTHONPATH', ''))\n"
        "open(ready, 'w').close()\n"
        "sys.stdin.read()\n"
    )
    program.write_text(f"#!{sys.executable}\n{lab}", "utf-8")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.syspath_prepend("/a/single/file.pyz")
    with child_lab("simple", 1, 1):
        path = (tmp_path / "path").read_text()
    assert "/a/single/file.pyz" in path.split(os.pathsep)


def test_on_windows_ctrl_c_is_for_the_process_that_started_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert own_group()["creationflags"] == 0x200


def test_a_lab_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    script = (
        "import time\n"
        "from volact.cli.child_lab import child_lab\n"
        "with child_lab('simple', 2, 1) as inventory:\n"
        "    print(inventory.read_text('utf-8'), flush=True)\n"
        "    time.sleep(120)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert child.stdout is not None
    port = 0
    for line in child.stdout:
        if match := re.match(rb'address = "ssh://127.0.0.1:([0-9]+)"', line):
            port = int(match[1])
            break
    assert port and listens(port)
    child.kill()
    child.communicate()
    while listens(port):
        time.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def test_demo_says_at_once_that_the_page_cannot_be_written(tmp_path: Path) -> None:
    done = volact("demo", "--html", str(tmp_path / "no" / "d.html"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_lab_serve_is_ready_when_it_says_so_and_cleans_up(
    tmp_path: Path, end: signal.Signals
) -> None:
    ready, inventory = tmp_path / "up", tmp_path / "lab.toml"
    with started(
        [*VOLACT, "lab", "serve", "--servers", "3", "--scenario", "healthy", "--seed", "1",
         "--inventory-out", str(inventory), "--ready-file", str(ready)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        while not ready.exists() and process.poll() is None:
            time.sleep(0.02)
        assert volact("check", "-i", str(inventory)).returncode == 0
        process.send_signal(end)
        out, told = process.communicate()
    assert process.returncode == 0
    assert out == b""
    assert told.count(b"\n") == 1
    assert not ready.exists()


def test_a_lab_of_one_server_speaks_of_one(tmp_path: Path) -> None:
    file = str(tmp_path / "lab.toml")
    words = ["lab", "serve", "--servers", "1", "--inventory-out", file, "--while-stdin"]
    done = subprocess.run(
        [*VOLACT, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == f"1 server, inventory {file}; Ctrl-C stops it\n"


def test_an_unknown_scenario_is_one_line() -> None:
    done = volact("lab", "serve", "--scenario", "tencet")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean tencent" in done.stderr


def test_scenarios_are_listed() -> None:
    assert "tencent" in volact("lab", "scenarios").stdout
    assert volact("lab", "scenarios", "--lang", "id").stdout.split()[:2] == ["NAMA", "KERUSAKAN"]
    found = json.loads(volact("lab", "scenarios", "--output", "json").stdout)
    assert {"tencent", "simple", "healthy"} <= {item["name"] for item in found}
