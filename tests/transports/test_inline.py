"""Options of a connection are put together on the spot; all else goes to threads."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import asyncssh
import pytest

from volact.transports.ssh import use_inline


async def test_only_the_options_are_made_here() -> None:
    use_inline()
    loop = asyncio.get_running_loop()
    pools: list[str] = []  # each executor names its threads after itself

    def note(number: int) -> int:
        pools.append(threading.current_thread().name.rpartition("_")[0])
        return number

    assert await asyncio.to_thread(note, 7) == 7
    use_inline()  # again, as for every connection
    await asyncio.to_thread(note, 8)
    loop.set_default_executor(ThreadPoolExecutor())  # as DBOS does at each call
    use_inline()
    await asyncio.to_thread(note, 9)
    assert pools[0].startswith("ThreadPoolExecutor-")
    assert pools == [pools[0]] * 3
    options = partial(asyncssh.SSHClientConnectionOptions, None, username="u", config=None)
    future = loop.run_in_executor(None, options)
    assert (await future).username == "u"


async def test_what_is_wrong_with_them_is_told_as_ever() -> None:
    use_inline()
    loop = asyncio.get_running_loop()
    wrong = partial(asyncssh.SSHClientConnectionOptions, None, kex_algs="none-such", config=None)
    with pytest.raises(ValueError, match="none-such"):
        await loop.run_in_executor(None, wrong)
