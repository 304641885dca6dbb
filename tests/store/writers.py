"""Runs in a process of their own: several at once, killed, or short of room.

python writers.py STORE RUN many COUNT    rows and intents of COUNT servers
python writers.py STORE RUN killed        intents and rows, then SIGKILL
python writers.py STORE RUN small BYTES   as many, on a disk that takes BYTES a file
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
import time

from store_samples import end, intent, keeper, row


async def many(store: str, run: str, count: int) -> str:
    """Servers side by side, as a run has them; why not all was kept."""
    keeping = keeper(store, run, patience_s=20.0)

    async def one(at: int) -> None:
        name = f"web-{at:04}"
        keeping.seen(name, "first", {"fact": os.urandom(800).hex()})
        await keeping.sending(intent(name))
        keeping.row(row(name))
        await keeping.room()

    for begin in range(0, count, 50):
        await asyncio.gather(*(one(at) for at in range(begin, min(count, begin + 50))))
    kept = keeping.finish(end(run, servers=count, healthy=count))
    return f"{kept.anything} {kept.trouble}"


async def killed(store: str, run: str) -> None:
    """The end comes between an intent that is written and the row that is not."""
    keeping = keeper(store, run, patience_s=20.0)
    keeping.row(row("web-01"))
    await keeping.sending(intent("web-02"))
    keeping.row(row("web-02"))
    time.sleep(0)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    store, run, what, *rest = sys.argv[1:]
    if what == "killed":
        asyncio.run(killed(store, run))
    if what == "small":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(rest[0]), int(rest[0])))
        rest = ["300"]
    sys.stdout.write(asyncio.run(many(store, run, int(rest[0]))))


if __name__ == "__main__":
    main()
