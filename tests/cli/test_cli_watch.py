"""Watching: real processes, real webhooks, servers of the lab and some that are not there."""

from __future__ import annotations

import gc
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import timedelta
from pathlib import Path

import pytest
from cli_process import FORKED, started
from cli_run import volact
from forked_volact import ForkedVolact
from lab_thread import drawn_lab, lab_in_thread
from receiver_fixtures import Receiver

from volact.cli.fleet_options import fleet_of
from volact.cli.options.changes import WatchOptions
from volact.cli.verbs.watch import alone
from volact.cli.watch import Watch
from volact.errors import VolactError
from volact_lab.windows.spec import Spec

# A server that is silent is interrupted, however long that takes.
PATIENT = ("--connect-timeout", "600", "--deadline", "900", "--retries", "0")
VOLACT = [sys.executable, "-m", "volact"]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def inventory(folder: Path, port: int) -> Path:
    file = folder / "fleet.toml"
    file.write_text(
        '[defaults]\nprovider = "tencent"\nuser = "Administrator"\npassword-env = "PW"\n'
        f'[[server]]\nname = "gone-01"\naddress = "ssh://127.0.0.1:{port}"\n'
    )
    return file


def replace(file: Path, text: str) -> None:
    """At once: it is never read half written."""
    beside = file.with_suffix(".new")
    beside.write_text(text)
    beside.replace(file)


def until(happened: Callable[[], object]) -> None:
    while not happened():
        time.sleep(0.02)


def watching(*words: str) -> ForkedVolact:
    return ForkedVolact("watch", "--no-progress", *words, env={**os.environ, "PW": "x"})


@FORKED
def test_it_tells_of_changes_only_and_survives_a_look_that_fails(
    tmp_path: Path, closed_port: int, receiver: Receiver
) -> None:
    file = inventory(tmp_path, closed_port)
    page = tmp_path / "volact.prom"
    words = ["-i", str(file), "--every", "1s", "--jitter", "1s", "--retries", "0"]
    words += ["--report", f"prometheus={page}"]
    with watching(*words, "--notify", f"http://127.0.0.1:{receiver.port}/hook") as running:
        first, second = running.stdout.readline(), running.stdout.readline()
        assert "1 server: 1 unreachable" in first
        assert "needs attention: gone-01: unreachable" in second
        assert "no changes" in running.stdout.readline()
        assert len(receiver.got) == 1
        whole = file.read_text()
        replace(file, "[[server]\n")
        until(lambda: len(receiver.got) == 2)
        replace(file, whole)
        until(lambda: len(receiver.got) == 3)
        assert "no changes" in running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        _, err = running.communicate()
    assert running.returncode in (0, 130), err  # between two rounds, or in the next
    assert "--every 1s asks each server more than once a minute" in err
    assert len(receiver.got) == 3
    told = [body for _, _, body in receiver.got]
    assert told[0]["changes"][0]["kind"] == "new"
    assert "could not be checked" in told[1]["title"]
    assert "fleet.toml" in told[1]["error"]
    assert told[2]["notes"] == ["the servers can be checked again"]
    assert told[2]["changes"] == []
    assert "hook" not in err
    assert "Traceback" not in err
    assert 'volact_server_examined{server="gone-01"' in page.read_text()


@FORKED
def test_who_could_not_be_told_hears_of_it_after_the_next_look(
    tmp_path: Path, closed_port: int, receiver: Receiver
) -> None:
    receiver.answer = lambda path: (503 if len(receiver.got) < 1 else 200, {})
    file = inventory(tmp_path, closed_port)
    hook = f"http://127.0.0.1:{receiver.port}/"
    with watching("-i", str(file), "--every", "1s", "--retries", "0", "--notify", hook) as running:
        until(lambda: len(receiver.got) == 2)
        running.send_signal(signal.SIGINT)
        running.communicate()
    assert running.returncode in (0, 130)
    assert [body["changes_total"] for _, _, body in receiver.got] == [1, 1]


def test_a_change_that_one_run_could_not_send_is_sent_by_the_next(
    tmp_path: Path, closed_port: int, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store knows the server by then: a timer starts each run anew."""
    receiver.answer = lambda path: (404 if len(receiver.got) < 2 else 200, {})
    monkeypatch.setenv("PW", "x")
    words = ["-i", str(inventory(tmp_path, closed_port)), "--once", "--retries", "0"]
    words += ["--store", str(tmp_path / "memory.db"), "--no-progress"]
    words += ["--notify", f"http://127.0.0.1:{receiver.port}/"]
    done = [volact("watch", *words) for _ in range(4)]
    assert [one.returncode for one in done] == [4, 4, 4, 4]
    assert ["needs attention: gone-01" in one.stdout for one in done] == [True, True, True, False]
    assert [body["changes_total"] for _, _, body in receiver.got] == [1, 1, 1]
    kept = [file.suffix for file in (tmp_path / "state" / "volact").iterdir()]
    assert sorted(kept) == [".lock", ".told"]


def test_channels_are_told_though_standard_output_is_not_read(
    tmp_path: Path, closed_port: int, receiver: Receiver
) -> None:
    words = [
        "-i",
        str(inventory(tmp_path, closed_port)),
        "--once",
        "--retries",
        "0",
        "--no-progress",
    ]
    words += ["-o", "jsonl", "--notify", f"http://127.0.0.1:{receiver.port}/"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*VOLACT, "watch", *words],
        stdout=write,
        stderr=subprocess.PIPE,
        env={**os.environ, "PW": "x"},
        text=True,
        check=False,
    )
    os.close(write)
    assert "Traceback" not in done.stderr
    assert [body["changes"][0]["kind"] for _, _, body in receiver.got] == ["new"]


def test_what_another_verb_saw_first_is_still_told(
    tmp_path: Path, closed_port: int, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the store knows was not told, neither before the first round nor between two."""
    monkeypatch.setenv("PW", "x")
    file = inventory(tmp_path, closed_port)
    words = ["-i", str(file), "--retries", "0", "--no-progress"]
    words += ["--store", str(tmp_path / "memory.db")]
    notify = ["--notify", f"http://127.0.0.1:{receiver.port}/"]
    volact("check", *words)
    first = volact("watch", "--once", *words, *notify)
    second = f'[[server]]\nname = "gone-02"\naddress = "ssh://127.0.0.2:{closed_port}"\n'
    file.write_text(file.read_text() + second)
    volact("check", *words)
    by_hand = volact("watch", "--once", *words)  # without the channel
    volact("watch", "--once", *words, *notify)
    last = volact("watch", "--once", *words, *notify)
    assert "needs attention: gone-01" in first.stdout
    assert "needs attention: gone-02" in by_hand.stdout
    assert "no changes" in last.stdout
    told = [[change["server"] for change in body["changes"]] for _, _, body in receiver.got]
    assert told == [["gone-01"], ["gone-02"]]


def test_without_a_store_a_round_is_compared_with_the_one_before_it(
    tmp_path: Path, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "x")
    words = ["-i", str(inventory(tmp_path, closed_port)), "--retries", "0", "--no-progress"]
    done = [volact("watch", "--once", "--no-store", *words) for _ in range(2)]
    assert ["needs attention" in one.stdout for one in done] == [True, False]


def test_a_channel_that_is_down_does_not_make_the_others_hear_it_again(
    tmp_path: Path, closed_port: int, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answer = lambda path: (404 if path == "/down" and len(receiver.got) < 5 else 200, {})
    monkeypatch.setenv("PW", "x")
    words = ["-i", str(inventory(tmp_path, closed_port)), "--once", "--retries", "0"]
    words += ["--store", str(tmp_path / "memory.db"), "--no-progress"]
    for name in ("down", "up"):
        words += ["--notify", f"http://127.0.0.1:{receiver.port}/{name}"]
    for _ in range(6):
        assert volact("watch", *words).returncode == 4
    assert [path for path, _, _ in receiver.got] == ["/down", "/up", *["/down"] * 4]


def test_a_single_run_that_cannot_check_is_told_once_and_so_is_its_end(
    tmp_path: Path, closed_port: int, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "x")
    file = inventory(tmp_path, closed_port)
    words = ["-i", str(file), "--once", "--retries", "0", "--no-progress"]
    words += ["--store", str(tmp_path / "memory.db")]
    words += ["--notify", f"http://127.0.0.1:{receiver.port}/"]
    codes = [volact("watch", *words).returncode]
    whole = file.read_text()
    file.write_text("[[server]\n")
    codes += [volact("watch", *words).returncode for _ in range(2)]
    file.write_text(whole)
    codes += [volact("watch", *words).returncode for _ in range(2)]
    assert codes == [4, 2, 2, 4, 4]
    _, failed, back = [body for _, _, body in receiver.got]
    assert "could not be checked" in failed["title"]
    assert back["notes"] == ["the servers can be checked again"]


@FORKED
def test_an_interrupt_in_the_midst_of_a_look_keeps_its_rows(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        file = inventory(tmp_path, silent.getsockname()[1])
        rows = tmp_path / "rows.jsonl"
        with watching("-i", str(file), "--report", f"jsonl={rows}", *PATIENT) as running:
            connection, _ = silent.accept()
            with connection:
                running.send_signal(signal.SIGINT)
                running.communicate()
    assert running.returncode == 130
    assert "interrupted" in rows.read_text()


def test_one_watch_at_a_time_over_the_same_servers(tmp_path: Path, closed_port: int) -> None:
    file = inventory(tmp_path, closed_port)
    with alone([str(file), ""]):
        done = volact("watch", "-i", str(file), "--once", "--no-progress")
        other = volact("watch", "-i", str(file), "--once", "--limit", "gone-01")
    assert done.returncode == 1
    assert "another watch is running for the same servers" in done.stderr
    assert done.stdout == ""
    assert "another watch" not in other.stderr


def test_the_lock_of_a_killed_watch_is_free(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from volact.cli.verbs.watch import alone\n"
        "with alone(['x'], pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(VolactError, match="another watch") as seen, alone(["x"], tmp_path):
            raise AssertionError("two watches hold one lock")
        assert str(tmp_path / "watch-") in seen.value.hint
        holder.kill()
        holder.wait()
        with alone(["x"], tmp_path):
            assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]


@pytest.mark.parametrize(("platform", "read"), [("linux", True), ("win32", False)])
def test_a_lock_that_cannot_be_made_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, read: bool
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(VolactError, match="file") as caught,
        alone(["x"], tmp_path / "file"),
    ):
        pass
    assert ("XDG_STATE_HOME" in caught.value.hint) == read


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--every", "soon"], "--every soon: not a duration"),
        (["--allow", "rearm"], "add --repair"),
        (["--print-cron", "h.example", "--every", "7h"], "cron cannot express"),
        (["--print-systemd", "h.example", "--notify", "slack://x"], "--notify env:VOLACT_NOTIFY"),
        (["--print-systemd"], "no server given"),
        (["--print-systemd", "-i", "no-such.toml"], "no-such.toml: "),
        (["--print-systemd", "--from", "no-such:x"], "cannot list 'no-such'"),
        (["--print-cron", "h.example", "--pace", "x"], "--pace: 'x' is not a pace"),
        (["--print-cron", "h.example", "--expiring", "x"], "--expiring x: not a duration"),
        (["--print-cron", "h.example", "--ignore", "x"], "--ignore: no such finding"),
        (["--print-cron", "h.example", "--kms-host", "a:b"], "is not a host or host:port"),
        (["--print-cron", "h.example", "--repair", "--canary", "x"], "--canary: "),
        (["--once", "-i", "/nowhere/fleet.toml"], "/nowhere/fleet.toml"),
    ],
)
def test_wrong_input_is_said_at_the_start(words: list[str], said: str) -> None:
    done = volact("watch", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.xdist_group("cli-lab")
def test_it_repairs_when_it_may_and_the_store_remembers(tmp_path: Path, receiver: Receiver) -> None:
    hook, store = f"http://127.0.0.1:{receiver.port}/", tmp_path / "memory.db"
    with drawn_lab("tencent", 12, 7) as fleet:
        words = ["watch", "-i", str(fleet), "--deadline", "900", "--no-progress", "--once"]
        words += ["--store", str(store), "--notify", hook]
        looked = volact(*words)
        again = volact(*words)
        mended = volact(*words, "--repair")
    assert looked.returncode == again.returncode == mended.returncode == 3
    assert "no changes" in again.stdout
    assert "better: " in mended.stdout
    first, last = [body for _, _, body in receiver.got]
    assert {change["kind"] for change in first["changes"]} == {"new"}
    assert last["command"] == "activate"
    assert {change["kind"] for change in last["changes"]} >= {"better"}
    assert last["summary"]["changed"] > 0


@contextmanager
def refused_by_kms(folder: Path) -> Iterator[Path]:
    """The inventory of two servers that cannot be activated."""
    specs = tuple(
        Spec(f"web-{at}", index=at, seed=1, release="2016", language="en", faults=("kms-count",))
        for at in range(2)
    )
    with lab_in_thread("simple", specs, 1) as lab:
        lab.write_inventory(folder / "lab.toml")
        yield folder / "lab.toml"


def test_a_repair_that_stopped_says_how_it_goes_on_with_the_same_caution(tmp_path: Path) -> None:
    words = ["--no-progress", "--retries", "0", "--store", str(tmp_path / "memory.db")]
    with refused_by_kms(tmp_path) as file:
        done = volact(
            "watch", "-i", str(file), "--once", "--repair", "--canary", "1", "--max-failures", "5",
            *words,
        )  # fmt: skip
    assert done.returncode == 4
    (line,) = [line for line in done.stdout.splitlines() if "to continue: " in line]
    assert line.startswith(f"    to continue: volact activate -i {file} ")
    assert " --canary 1 --max-failures 5 --resume " in line


def test_a_repair_that_stopped_is_told_though_no_server_changed(
    tmp_path: Path, receiver: Receiver
) -> None:
    words = ["--once", "--no-progress", "--retries", "0", "--repair"]
    words += ["--store", str(tmp_path / "memory.db")]
    words += ["--notify", f"http://127.0.0.1:{receiver.port}/"]
    with refused_by_kms(tmp_path) as file:
        words += ["-i", str(file), "--expiring", "1d"]
        volact("watch", *words)
        done = [volact("watch", *words, "--canary", "1") for _ in range(2)]
    assert ["no changes" in one.stdout for one in done] == [True, True]
    _, told = [body for _, _, body in receiver.got]
    assert told["stopped"]["why"] == "canary"
    assert told["changes_total"] == 0


def test_looks_leave_nothing_behind(
    tmp_path: Path, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = inventory(tmp_path, closed_port)
    options = WatchOptions(
        inventory=str(file), no_progress=True, retries=0, report=[f"html={tmp_path}/r"]
    )
    made = Watch(
        options, lambda: fleet_of(options, "check"), (), within=timedelta(days=30), before={}
    )

    def objects_after(looks: int) -> int:
        for _ in range(looks):
            with redirect_stdout(io.StringIO()):
                assert made.once() == 4
        gc.collect()
        return len(gc.get_objects())

    monkeypatch.setenv("PW", "x")
    objects_after(3)
    before = objects_after(1)
    assert objects_after(10) - before < 300  # a run makes thousands


def test_units_are_printed_and_nothing_is_started(tmp_path: Path) -> None:
    fleet = tmp_path / "fleet.toml"
    fleet.write_text('[[server]]\nname = "a"\naddress = "192.0.2.1"\npassword-env = "OF_A"\n')
    done = volact("watch", "--print-systemd", "--print-cron", "-i", str(fleet))
    assert done.returncode == 0
    named = [line for line in done.stdout.splitlines() if "watch.env, " in line]
    assert [": OF_A" in line for line in named] == [True, True]
    assert "--inventory=" in done.stdout
    assert "[Timer]" in done.stdout
    assert "watch --once" in done.stdout


def test_units_name_a_single_file_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "volact-1-linux.pyz").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["volact-1-linux.pyz"])
    done = volact("watch", "--print-cron", "host.example")
    assert f" && {sys.executable} {tmp_path}/volact-1-linux.pyz watch --once " in done.stdout


def test_units_are_not_printed_where_the_crontab_cannot_be() -> None:
    done = volact("watch", "--print-systemd", "--print-cron", "--every", "7h", "host.example")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


UNINTERRUPTED = """
import signal, sys, threading
from volact.cli.runtime import StopSignal
sys.platform = "win32"
main = threading.get_ident()
signals = StopSignal(lambda: False)

def ctrl_c():
    while sys._current_frames()[main].f_code is not StopSignal.wait.__code__:
        pass
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

with signals.installed():
    threading.Thread(target=ctrl_c).start()
    sys.exit(0 if signals.wait(86400) else 1)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_ends_a_wait_that_no_signal_interrupts() -> None:
    """As on Windows: here another thread takes the signal, so the wait for a lock goes on."""
    done = subprocess.run([sys.executable, "-c", UNINTERRUPTED], timeout=600, check=False)
    assert done.returncode == 0
