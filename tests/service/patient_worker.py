"""A worker process that takes no other for dead while its session lives, however slow it is."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from typing import NoReturn

from volact.service.engine.lease import ENGINE
from volact.service.engine.live_run import OpenerOf, opener_of
from volact.service.engine.worker import Worker, run_worker
from volact.store.address import parse_address

_READINGS = 3600


def main(words: Sequence[str], opening: OpenerOf = opener_of) -> NoReturn:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--label", action="append", default=[])
    parser.add_argument("--engine", type=int, default=ENGINE)
    asyncio.run(_work(parser.parse_args(words), opening))
    raise AssertionError("a worker ends its process")


async def _work(wanted: argparse.Namespace, opening: OpenerOf) -> NoReturn:
    address = parse_address(wanted.database)
    assert address is not None
    worker = Worker(address, wanted.label, opening, wanted.engine, _READINGS)
    await run_worker(worker, asyncio.Event())
