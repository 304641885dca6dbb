"""``volact worker``: one process that works on the runs of the service."""

from __future__ import annotations

import asyncio

from volact.cli.failure import tell
from volact.cli.options.service import WorkerOptions
from volact.cli.runtime import run_async, set_at_end_of_input, stop_on_signals
from volact.cli.service_database import database_of, needs_service
from volact.model.text import say

with needs_service():
    from volact.service.database.schema import open_service_store
    from volact.service.engine.worker import Worker, run_worker
    from volact.service.logs import configure_logging


def worker(options: WorkerOptions) -> int:
    """Work until a signal comes, then finish what is under way."""
    configure_logging(options.log)
    run_async(_work(options))
    return 0


async def _work(options: WorkerOptions) -> None:
    database, stop = database_of(options.database), asyncio.Event()
    open_service_store(database, create=False).close()
    with stop_on_signals(stop):
        tell(say("this worker waits for runs; Ctrl-C finishes what is under way and stops it"))
        if options.while_stdin:
            set_at_end_of_input(stop)
        await run_worker(Worker(database, options.label), stop)
