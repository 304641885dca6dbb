"""The question before servers are changed: what comes of an interrupt instead of an answer."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sys
from pathlib import Path

import pytest
from cli_process import AGAIN_S, started
from lab_thread import drawn_lab
from store_samples import keep, row

from volact.queries.servers import NamesQuery
from volact.store import open_store

pytestmark = pytest.mark.xdist_group("store-lab")

# A terminal that sends Ctrl-C has to be the one that controls the process.
AT_A_TERMINAL = """
import os, sys
os.login_tty(os.dup(0))
os.execv(sys.executable, [sys.executable, "-m", "volact", *sys.argv[1:]])
"""


Answer = bytes | signal.Signals


def answered(command: list[str], answer: Answer) -> tuple[int, str]:
    """Press keys at the question, or send a signal; the exit code and what the terminal showed."""
    master, slave = pty.openpty()
    pressed = False
    with started(
        [sys.executable, "-c", AT_A_TERMINAL, *command], stdin=slave, stdout=slave, stderr=slave
    ) as process:
        os.close(slave)
        shown = b""
        try:
            while True:
                quiet = not select.select([master], [], [], AGAIN_S)[0]
                shown += b"" if quiet else os.read(master, 4096)
                if b"[y/N]" in shown and (quiet or not pressed):
                    give(answer, master, process.pid)
                    pressed = True
        except OSError:  # the other end is closed
            pass
        os.close(master)
        return process.wait(), shown.decode("utf-8", "replace")


def give(answer: Answer, terminal: int, process: int) -> None:
    if isinstance(answer, bytes):
        os.write(terminal, answer)
    else:
        os.kill(process, answer)


@pytest.mark.parametrize("answer", [b"\x03", signal.SIGTERM])
def test_an_interrupt_at_the_question_keeps_what_was_seen(answer: Answer, tmp_path: Path) -> None:
    report, store = tmp_path / "r.json", tmp_path / "volact.db"
    with drawn_lab("simple", 4, 5) as fleet:
        command = ["activate", "-i", str(fleet), "--no-progress"]
        kept = ["--store", str(store), "--report", f"json={report}"]
        code, shown = answered([*command, *kept], answer)
    assert code == 130
    assert "Traceback" not in shown
    assert "volact: saved as run" in shown
    assert "volact: interrupted; nothing was changed on the servers" in shown
    document = json.loads(report.read_text("utf-8"))
    assert document["summary"]["servers"] == 4
    assert document["summary"]["changed"] == 0
    assert all(row["results"] == [] for row in document["servers"])


@pytest.mark.parametrize(
    ("key", "left"), [(b"y\n", []), (b"n\n", ["old-01"]), (b"\x03", ["old-01"])]
)
def test_servers_are_forgotten_only_when_the_answer_is_yes(
    key: bytes, left: list[str], tmp_path: Path
) -> None:
    url = str(tmp_path / "volact.db")
    keep(url, "aa11", row("old-01"))
    code, shown = answered(["forget", "old-01", "--store", url], key)
    assert code == 0
    assert "to delete from the store: 1 server (old-01), rows: 1" in shown
    assert ("no server was deleted from the store" in shown) == bool(left)
    with open_store(url, create=True) as store:
        assert NamesQuery().ask(store) == left


def test_the_question_shows_nothing_of_a_name_that_a_terminal_obeys(tmp_path: Path) -> None:
    url = str(tmp_path / "volact.db")
    keep(url, "aa11", row("old\x9b31m"))
    code, shown = answered(["forget", "old\x9b31m", "--store", url], b"n\n")
    assert (code, "\x9b" in shown) == (0, False)
    assert "(old\\x9b31m), rows: 1" in shown
