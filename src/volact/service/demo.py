"""What ``volact serve --demo`` shows: an inventory, and runs over it one after another."""

from __future__ import annotations

import asyncio
import logging
import re
from functools import partial
from pathlib import Path

from volact.client.wire import RunInfo, RunSpec
from volact.errors import VolactError
from volact.service.app import Parts, utc_now
from volact.service.database.tables import INVENTORIES
from volact.service.identity.audit import SYSTEM, changing
from volact.service.inventories import read_text
from volact.service.run_list import find_run
from volact.store.clock import moment
from volact.store.store import Store

_LOG = logging.getLogger(__name__)
_NAME = "demo"
_POLL_S = 0.5
_DEADLINE_S = 30.0  # a KMS host that does not answer takes most of it
_ON_THE_WAY = ("queued", "running")


def _keep_inventory(store: Store, file: Path) -> None:
    """Store the lab's inventory; its files are named whole, as the workers need them."""
    text = re.sub(r'"(lab\.\w+)"', rf'"{file.parent.as_posix()}/\1"', file.read_text("utf-8"))
    with changing(store, utc_now(), SYSTEM) as change:
        values = {
            "name": _NAME,
            "file": file.name,
            "text": text,
            "servers": len(read_text(file.name, text).servers),
            "updated_by": SYSTEM.name,
            "updated": moment(change.now),
        }
        change.connection.execute(INVENTORIES.insert().values(values))
        change.tell("inventory.saved", _NAME)


async def show(parts: Parts, inventory: Path) -> None:
    """Check the fleet, activate it with canaries, check it again."""
    await asyncio.to_thread(_keep_inventory, parts.store, inventory)
    check = RunSpec(verb="check", inventory=_NAME, deadline_s=_DEADLINE_S)
    activate = RunSpec(
        verb="activate", inventory=_NAME, deadline_s=_DEADLINE_S, canary="4:3", concurrency=10
    )
    try:
        for spec in (check, activate, check):
            await _ended(parts.store, await parts.runs.submit(spec, SYSTEM))
    except VolactError as error:
        _LOG.error("the demo's runs ended: %s", error.line())


async def _ended(store: Store, run: RunInfo) -> None:
    ask = partial(find_run, run=run.id)
    while (await asyncio.to_thread(store.ask, ask)).state in _ON_THE_WAY:  # noqa: ASYNC110 - workers of other processes end it
        await asyncio.sleep(_POLL_S)
