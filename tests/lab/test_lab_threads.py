"""The threads in which the lab's scripts run."""

from __future__ import annotations

import asyncio
import threading

import pytest

from volact_lab.ssh.pool import Pool


class ClosedMeanwhile(asyncio.SelectorEventLoop):
    """A loop that a thread saw open just before it was closed."""

    def is_closed(self) -> bool:
        return super().is_closed() and threading.current_thread() is threading.main_thread()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_outlives_the_loop_that_waited_for_it() -> None:
    pool, go_on = Pool(1), threading.Event()
    pool.start()
    threads: list[threading.Thread] = []

    def work() -> None:
        threads.append(threading.current_thread())
        go_on.wait()

    async def left_alone() -> None:
        task = asyncio.ensure_future(pool.run(work, 600))
        while not threads:
            await asyncio.sleep(0.001)
        task.cancel()

    async def then() -> None:
        task = asyncio.ensure_future(pool.run(lambda: 1, 600))
        while threads[0].is_alive() and not task.done():
            await asyncio.sleep(0.001)
        assert task.done(), "the thread has ended"
        assert task.result() == 1

    loop = ClosedMeanwhile()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(left_alone())
    assert loop.is_closed()
    go_on.set()
    asyncio.run(then())
    pool.stop()
