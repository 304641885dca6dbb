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

from store_samples import end, intent, row, store_writer


async def many(store: str, run: str, count: int) -> str:
    """Servers side by side, as a run has them; why not all was kept."""
    writer = store_writer(store, run, patience_s=20.0)

    async def one(at: int) -> None:
        name = f"web-{at:04}"
        writer.seen(name, "first", {"fact": os.urandom(800).hex()})
        await writer.sending(intent(name))
        writer.row(row(name))
        await writer.room()

    for begin in range(0, count, 50):
        await asyncio.gather(*(one(at) for at in range(begin, min(count, begin + 50))))
    kept = writer.finish(end(run, servers=count, healthy=count))
    return f"{kept.stored} {kept.problem}"


async def killed(store: str, run: str) -> None:
    """The end comes between an intent that is written and the row that is not."""
    writer = store_writer(store, run, patience_s=20.0, hang_s=600.0, gather_s=600.0)
    writer.row(row("web-01"))
    await writer.sending(intent("web-02"))
    writer.row(row("web-02"))
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
