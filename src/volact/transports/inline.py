"""Work that asyncssh hands to a thread for each connection, done on the spot.

asyncssh puts the options of each connection together in the loop's default
executor, because they may name files to be read.  volact's name none: keys and
known hosts are read before.  Handing a tenth of a millisecond's work to a thread
and back costs more than the work.  Everything else goes to threads as always.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar
from weakref import WeakSet

import asyncssh

P = ParamSpec("P")
T = TypeVar("T")


class Inline(ThreadPoolExecutor):
    """A pool of threads that does one kind of work itself."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do it now, if it only puts options together; else in a thread."""
        if not (isinstance(fn, partial) and fn.func is asyncssh.SSHClientConnectionOptions):
            return super().submit(fn, *args, **kwargs)
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # handed over to the waiting task
            future.set_exception(error)
        return future


_prepared: WeakSet[asyncio.AbstractEventLoop] = WeakSet()


def use_inline() -> None:
    """Let the running loop do that work itself; once, for pools keep their threads."""
    loop = asyncio.get_running_loop()
    if loop not in _prepared:
        _prepared.add(loop)
        loop.set_default_executor(Inline())
