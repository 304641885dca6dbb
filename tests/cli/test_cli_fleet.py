"""Fleet verbs against servers that do not answer: errors, interrupts, exit codes.

What happens on servers that do answer is in test_cli_lab.py.
"""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_process import FORKED
from cli_run import volact
from forked_volact import ForkedVolact

# Servers that are silent are interrupted, however long that takes.
PATIENT = ("--connect-timeout", "600", "--deadline", "900", "--retries", "0")
VOLACT = [sys.executable, "-m", "volact"]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A listener that accepts and never sends a byte."""
    with socket.create_server(("", 0), backlog=50) as server:
        yield server.getsockname()[1]


def inventory(folder: Path, port: int, count: int = 2) -> Path:
    """Servers at addresses of their own: every 127.x is this machine."""
    file = folder / "fleet.toml"
    servers = "".join(
        f'[[server]]\nname = "web-{n:02}"\naddress = "ssh://127.0.0.{n}:{port}"\n\n'
        for n in range(1, count + 1)
    )
    file.write_text(f'[defaults]\nprovider = "tencent"\n\n{servers}')
    return file


def test_a_server_that_is_not_there_is_a_row_and_exit_4(tmp_path: Path, closed_port: int) -> None:
    file = inventory(tmp_path, closed_port)
    done = volact("check", "-i", str(file), "--output", "json")
    assert done.returncode == 4
    document = json.loads(done.stdout)
    assert [row["error"]["kind"] for row in document["servers"]] == ["connect"] * 2
    assert document["summary"]["unreachable"] == 2
    assert document["command"] == "check"
    assert done.stderr == "checking 2 servers\n"
    loud = volact("check", "-i", str(file), "-v").stderr
    assert "web-01: unreachable, connect" in loud


def test_progress_can_be_silent(tmp_path: Path, closed_port: int) -> None:
    file = inventory(tmp_path, closed_port)
    assert volact("check", "-i", str(file), "--no-progress").stderr == ""


def test_text_names_the_next_command(tmp_path: Path, closed_port: int) -> None:
    file = inventory(tmp_path, closed_port)
    done = volact("check", "-i", str(file), "--host-key-policy", "ignore")
    assert done.stdout.startswith("UNREACHABLE  2 servers")
    assert f"volact check -i {file} --limit web-01,web-02 --host-key-policy ignore" in done.stdout


def test_the_next_command_keeps_what_the_person_gave(tmp_path: Path, closed_port: int) -> None:
    file = inventory(tmp_path, closed_port)
    given = ["--limit", "web-02", "--deadline", "30", "--connect-timeout", "5", "--replace-key",
             "--allow", "rearm", "--override-entitlement", "bought it"]  # fmt: skip
    done = volact("activate", "-i", str(file), "--yes", "--no-progress", *given)
    assert (
        f"volact activate -i {file} --limit web-02 --connect-timeout 5 --deadline 30 "
        "--replace-key --override-entitlement 'bought it' --allow rearm\n"
    ) in done.stdout


def test_the_next_command_keeps_the_user_of_an_address(closed_port: int) -> None:
    done = volact("check", f"ssh://bob@127.0.0.1:{closed_port}")
    assert f"volact check ssh://bob@127.0.0.1:{closed_port}" in done.stdout


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[[server]]\naddress = \"ssh://a\"\nprot = 1\n", "fleet.toml line 3: "),
        ("[defaults]\nprovider = \"tencet\"\n[[server]]\naddress=\"ssh://a\"\n", "did you mean"),
        ("[[server]]\naddress = \"ssh://a:99999\"\n", "line 2: "),
        ("[[server]]\nname=\"a\"\naddress=\"ssh://a\"\n[[server]]\nname=\"a\"\naddress=\"ssh://b\"\n",
         "the name 'a' is taken by line"),
        ("[[server]]\naddress = \"ssh://a\"\nkey-file = \"no-such-key\"\n", "no-such-key"),
        ("[[server]]\naddress = \"ssh://a\"\npassword-env = \"NOT_SET_XY\"\n", "NOT_SET_XY"),
        ("not toml", "not TOML"),
    ],
    ids=["key", "provider", "port", "twins", "key-file", "password-env", "syntax"],
)  # fmt: skip
def test_a_bad_inventory_is_one_line_and_starts_nothing(
    tmp_path: Path, text: str, line: str
) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(text)
    done = volact("activate", "-i", str(file), "--yes", "--report", f"html={tmp_path / 'r.html'}")
    assert (done.returncode, done.stdout) == (2, "")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("args", "line"),
    [
        ([], "no server given"),
        (["web-01"], "no such server: web-01"),
        (["web-0?.example"], "no such server: web-0?.example"),
        (["pyproject.toml"], "no such server: pyproject.toml"),
        (["ssh://a:99999"], "port '99999' is not a number from 1 to 65535"),
        (["ssh://a:pw@b"], "no password in an address"),
        (["ssh://a", "--provider", "tencet"], "did you mean tencent?"),
        (["ssh://a", "--kms-host", "x:y"], "--kms-host: "),
        (["ssh://a", "--known-hosts", "/no/such"], "/no/such: no such file"),
        (["ssh://a", "--key-file", "/no/such"], "/no/such: No such file or directory"),
        (["ssh://a", "--report", "pdf=x"], "--report pdf=x: not FORMAT=FILE"),
        (["ssh://a", "--concurrency", "0"], "invalid value for '--concurrency'"),
        (["ssh://a", "-i", "/no/such.toml"], "/no/such.toml: No such file"),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(args: list[str], line: str) -> None:
    done = volact("check", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("word", ["127.0.0.1:1", "me@localhost:1", "no-such.invalid", "[::1]:1"])
def test_a_bare_address_is_one_of_ssh_and_a_note_says_so(word: str) -> None:
    done = volact("check", word, "--no-store", "-o", "json")
    assert done.stderr.startswith(f"volact: {word} is taken as ssh://{word}\n")
    (row,) = json.loads(done.stdout)["servers"]
    assert row["address"].startswith("ssh://")
    assert done.returncode == 4


def test_a_name_of_the_inventory_is_no_address(tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text('[[server]]\nname = "10.0.0.5"\naddress = "ssh://127.0.0.1:1"\n')
    done = volact("inventory", "show", "10.0.0.5", "-i", str(file))
    assert "ssh://127.0.0.1:1" in done.stdout
    assert done.stderr == ""
    typo = volact("inventory", "show", "web-1.example", "-i", str(file))
    assert "no such server: web-1.example" in typo.stderr


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["--canary", "x"], "--canary: 'x' is neither a number of servers nor a percentage"),
        (["--canary", "0"], "--canary: give at least one server"),
        (["--canary", "3:3"], "--canary: if 3 of 3 canaries may fail, they prove nothing"),
        (["--canary", "5:x"], "--canary: 'x' is not a number of canaries that may fail"),
        (["--max-failures", "101%"], "--max-failures: '101%' is more than all servers"),
        (["--pace", "5"], "--pace: '5' is not a pace like 5/s, 30/m or 200/h"),
        (["--retries", "-1"], "--retries"),
        (["--kms-concurrency", "0"], "--kms-concurrency"),
        (["--resume", "last"], "--resume last: the store has no runs"),
    ],
)
def test_bad_words_of_a_rollout_start_nothing(args: list[str], line: str) -> None:
    done = volact("activate", "ssh://127.0.0.1:1", "--yes", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1


def test_activate_without_a_person_wants_yes() -> None:
    done = volact("activate", "ssh://127.0.0.1:1")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert "standard input is not a terminal" in done.stderr


@FORKED
def test_activate_asks_nothing_when_there_is_nothing_to_do(closed_port: int) -> None:
    master, slave = pty.openpty()
    try:
        words = ("activate", f"ssh://127.0.0.1:{closed_port}", "--output", "json")
        with ForkedVolact(*words, stdin=slave) as process:
            out, _ = process.communicate()
    finally:
        os.close(master)
        os.close(slave)
    assert process.returncode == 4
    assert json.loads(out)["summary"]["unreachable"] == 1


@FORKED
@pytest.mark.parametrize(
    ("started", "end"),
    [
        (("check", "1"), signal.SIGINT),
        (("check", "2"), signal.SIGINT),
        (("check", "1"), signal.SIGTERM),
        (("check", "2"), signal.SIGTERM),
        (("plan", "1"), signal.SIGINT),
    ],
)
def test_an_interrupt_keeps_the_rows(
    tmp_path: Path,
    silent_port: int,
    closed_port: int,
    started: tuple[str, str],
    end: signal.Signals,
) -> None:
    verb, processes = started
    file = inventory(tmp_path, silent_port, 3)
    page = tmp_path / "r.html"
    with ForkedVolact(
        *(verb, "-i", str(file), f"ssh://127.0.0.1:{closed_port}", "web-*"),
        *("--output", "jsonl", "--report", f"html={page}", "--processes", processes),
        *PATIENT,
    ) as process:
        first = json.loads(process.stdout.readline())
        assert first["error"]["kind"] == "connect"
        process.send_signal(end)
        rest, told = process.communicate()
    assert process.returncode == 130
    rows = [json.loads(line) for line in rest.splitlines()]
    assert sorted(row["name"] for row in rows[:-1]) == ["web-01", "web-02", "web-03"]
    assert all("interrupted" in row["error"]["message"] for row in rows[:-1])
    assert rows[-1]["summary"]["servers"] == 4
    assert rows[-1]["stopped"] == {
        "why": "interrupted",
        "message": "the run stopped: it was interrupted; 3 of 4 servers were not started",
        "not_begun": 3,
        "command": "",
    }
    assert "Traceback" not in told
    assert "web-03" in page.read_text("utf-8")


@FORKED
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_second_interrupt_ends_at_once(tmp_path: Path, processes: str) -> None:
    """The server stays silent for as long as it is asked; the first connection is the sign."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        file = inventory(tmp_path, server.getsockname()[1], 1)
        with ForkedVolact("check", "-i", str(file), "--processes", processes, *PATIENT) as process:
            connection, _ = server.accept()
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate()
            connection.close()
    assert process.returncode == 130
    assert "Traceback" not in told


@FORKED
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_second_interrupt_gives_up_what_activate_would_finish(
    tmp_path: Path, processes: str
) -> None:
    with socket.create_server(("", 0)) as server:
        file = inventory(tmp_path, server.getsockname()[1], 2)
        with ForkedVolact(
            *("activate", "-i", str(file), "--yes", "--concurrency", "1", "-o", "jsonl"),
            *("--processes", processes),
            *PATIENT,
        ) as process:
            connection, _ = server.accept()
            process.send_signal(signal.SIGINT)
            told = [process.stderr.readline() for _ in range(2)]
            assert "finishing the servers in progress" in told[1]
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate()
            connection.close()
    assert process.returncode == 130
    rows = {row["name"]: row for row in map(json.loads, out.splitlines()) if "name" in row}
    assert rows["web-01"]["error"]["message"] == "interrupted while connecting"
    assert rows["web-02"]["error"]["kind"] == "not-begun"
    assert {rows[name]["verdict"] for name in ("web-01", "web-02")} == {"not-started"}


def test_a_deadline_ends_a_server_that_never_answers(silent_port: int) -> None:
    done = volact(
        "check", f"ssh://127.0.0.1:{silent_port}", "--connect-timeout", "1", "--output", "json"
    )
    assert done.returncode == 4
    assert json.loads(done.stdout)["servers"][0]["error"]["kind"] == "timeout"


def test_a_password_is_never_shown(
    tmp_path: Path, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "r.html"
    monkeypatch.setenv("SECRET_OF_TEST", "hunter2-hunter2")
    done = volact(
        "check", f"ssh://127.0.0.1:{silent_port}", "--connect-timeout", "0.5", "-v",
        "--password-env", "SECRET_OF_TEST", "--report", f"html={page}",
    )  # fmt: skip
    for text in (done.stdout, done.stderr, page.read_text("utf-8")):
        assert "hunter2" not in text
    assert "--password-env SECRET_OF_TEST" in done.stdout


def test_endpoints_say_what_is_there(closed_port: int) -> None:
    done = volact("endpoints", "--kms-host", f"127.0.0.1:{closed_port}", "--output", "json")
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert found["kms"][0]["word"] == "refused"
    assert found["ok"] is False
    text = volact("endpoints", "--kms-host", f"127.0.0.1:{closed_port}").stdout
    assert text.startswith("KMS HOST")
    assert "nothing listens on this port" in text


def test_endpoints_need_to_know_whose() -> None:
    done = volact("endpoints")
    assert done.returncode == 2
    assert "no provider given" in done.stderr
