"""Worker processes beside ``volact serve``: started, restarted when they end, stopped with it."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import suppress

from volact.service.settings import ServiceSettings

_LOG = logging.getLogger(__name__)
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0


async def keep_worker(settings: ServiceSettings, stop: asyncio.Event, kill: asyncio.Event) -> None:
    """Keep one worker until ``stop``; then it finishes what it has under way, until ``kill``."""
    wait = _FIRST_WAIT_S
    while not stop.is_set():
        # A session of its own: Ctrl-C in a terminal is for this process, which tells it.
        process = await asyncio.create_subprocess_exec(
            *_command(settings), env=_environment(settings), stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        ended = asyncio.create_task(process.wait())
        await _first(ended, stop)
        if not stop.is_set():
            _LOG.error("a worker ended with code %s; the next starts in %g s", ended.result(), wait)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)
            wait = min(wait * 2, _LONGEST_WAIT_S)
            continue
        for end in (process.terminate, process.kill):
            with suppress(ProcessLookupError):
                end()
            await _first(ended, kill)
        await ended


def _command(settings: ServiceSettings) -> list[str]:
    labels = [word for label in settings.labels for word in ("--label", label)]
    return [
        sys.executable,
        "-m",
        "volact",
        "worker",
        "--while-stdin",
        "--log",
        settings.log,
        *labels,
    ]


def _environment(settings: ServiceSettings) -> dict[str, str]:
    """The database is named by the environment: its address may hold a password."""
    address = settings.database
    return {**os.environ, "VOLACT_STORE": address.url or str(address.file)}


async def _first(ended: asyncio.Task[int], event: asyncio.Event) -> None:
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait((ended, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
