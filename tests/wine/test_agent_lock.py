"""The lock on a real Windows Script Host: two agents at once, and what is left behind."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from asking import request
from loopback import Loopback
from test_agent_steps import SPP
from wine_server import WineServer, staying

from volact.agent.answer import Answer, read_answer
from volact.agent.render import render
from volact.agent.request import Lock, Request
from volact.errors import AnswerError

LIFE_MS = 240_000
START = {"do": "start-service", "name": "nosuch", "optional": True}


@pytest.fixture
def lockable(wine: WineServer) -> Iterator[WineServer]:
    """The server; no lock is there before or after, and no KMS host that a step has set."""
    file = wine.prefix / "drive_c" / "windows" / "volact.lock"
    file.unlink(missing_ok=True)
    yield wine
    left = staying(lambda: [entry.name for entry in file.parent.glob("volact.lock*")])
    file.unlink(missing_ok=True)
    wine.delete_key(SPP)
    assert left == [], "the lock is given back"


def under_lock(*steps: dict[str, Any], run: str = "run-1", age_ms: int = 0) -> Request:
    """A request to run steps, under a lock of this run."""
    since = int(time.time() * 1000) - age_ms
    lock = Lock(run=run, who="ops@ctl", since=since, until=since + LIFE_MS)
    return msgspec.structs.replace(request("apply", *steps, connect_ms=3000), lock=lock)


def run(wine: WineServer, asked: Request, *, deadline_s: int = 120) -> Answer:
    """Run the agent once."""
    ran = wine.run_file(render(asked, deadline_s=deadline_s), f"volact-{asked.id}.bat")
    return read_answer(ran.stdout.encode(), asked.id)


def put(wine: WineServer, text: str) -> None:
    """Leave a lock as another run's agent would."""
    file = wine.prefix / "drive_c" / "windows" / "volact.lock"
    file.write_text(text)
    file.chmod(0o666)


def theirs(age_ms: int = 0) -> str:
    """The lock of another run."""
    since = int(time.time() * 1000) - age_ms
    return f"VOLACTLOCK1 {'f' * 16} run-2 {since} {since + LIFE_MS} {since} ops@other"


def test_a_lock_is_taken_and_given_back(lockable: WineServer) -> None:
    answer = run(lockable, under_lock(START))
    assert answer.results[0].ok


def test_a_held_lock_lets_no_other_run_in(lockable: WineServer) -> None:
    put(lockable, theirs())
    with pytest.raises(AnswerError, match="run run-2 by ops@other, until") as caught:
        run(lockable, under_lock(START))
    assert caught.value.kind == "busy"
    lock = lockable.prefix / "drive_c" / "windows" / "volact.lock"
    assert "run-2" in lock.read_text()
    lock.unlink()


# Named, since the times in the last one differ from process to process.
@pytest.mark.parametrize(
    "text", ["", "what is this", theirs(LIFE_MS + 60_000)], ids=["empty", "other words", "over"]
)
def test_a_dead_lock_is_taken_over(lockable: WineServer, text: str) -> None:
    put(lockable, text)
    assert run(lockable, under_lock(START)).results[0].ok


def test_the_batch_part_takes_the_lock_of_an_ended_script_away(lockable: WineServer) -> None:
    asked = under_lock(START)
    put(lockable, theirs().replace("f" * 16, asked.id))
    with pytest.raises(AnswerError, match="another run"):
        run(lockable, asked)


def test_a_second_agent_is_told_while_the_first_is_at_work(
    lockable: WineServer, loopback: Callable[..., Loopback]
) -> None:
    host = loopback("silent")
    slow = {"do": "set-kms-host", "layer": "service", "hosts": [host.address]}
    first, done = under_lock(slow, run="first"), []
    thread = threading.Thread(target=lambda: done.append(run(lockable, first, deadline_s=3600)))
    thread.start()
    while not host.requests:  # the step waits for an answer that never comes
        assert thread.is_alive()
        time.sleep(0.01)
    with pytest.raises(AnswerError, match="run first by ops@ctl, until") as caught:
        run(lockable, under_lock(START, run="second"))
    assert caught.value.kind == "busy"
    host.let_go()
    thread.join()
    assert len(done[0].results) == 1
    assert run(lockable, under_lock(START, run="second")).results[0].ok


def test_of_many_agents_at_once_none_breaks_in(lockable: WineServer) -> None:
    asked = [under_lock(START, START, run=secrets.token_hex(4)) for _ in range(4)]
    done: list[Answer | AnswerError] = []
    at_once = threading.Barrier(len(asked))

    def work(one: Request) -> None:
        at_once.wait()
        try:
            done.append(run(lockable, one))
        except AnswerError as error:
            done.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(asked)
    assert any(isinstance(one, Answer) for one in done), done
    assert {one.kind for one in done if isinstance(one, AnswerError)} <= {"busy"}, done
