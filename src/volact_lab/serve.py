"""A lab that stays up by itself until a stop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from volact_lab.lab import Lab


async def serve(
    lab: Lab, inventory: Path, *, ready: Path | None = None, stop: asyncio.Event | None = None
) -> None:
    """Start a lab, write its inventory, report so in ``ready``, and stay until ``stop``."""
    async with lab:
        lab.write_inventory(inventory)
        if ready is not None:
            _announce(ready)
        try:
            await (stop or asyncio.Event()).wait()
        finally:
            if ready is not None:
                _withdraw(ready)


def _announce(ready: Path) -> None:
    """Appear in one piece, for a program that waits for the file."""
    part = ready.with_name(f"{ready.name}.part")
    part.write_text("ready\n", "utf-8")
    part.replace(ready)


def _withdraw(ready: Path) -> None:
    ready.unlink(missing_ok=True)
