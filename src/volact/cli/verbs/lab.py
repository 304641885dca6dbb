"""``volact lab``: a simulated fleet behind real SSH, to try volact on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from volact.cli.atomic_file import AtomicFile
from volact.cli.console import table, write_answer, write_line
from volact.cli.failure import needs_extra
from volact.cli.options.lab import LabScenariosOptions, LabServeOptions
from volact.cli.runtime import run_async, set_at_end_of_input, stop_on_signals
from volact.errors import InputError, unreadable
from volact.model.text import count, say
from volact_lab.scenario import load_scenario, scenario_names


def serve(options: LabServeOptions) -> int:
    """Start a simulated fleet and run until stopped."""
    with needs_extra("lab", lambda name: say("the lab needs the package {name}", name=name)):
        run_async(_serve(options))
    return 0


async def _serve(options: LabServeOptions) -> None:
    from volact_lab.lab import Lab  # noqa: PLC0415 - what it needs is an extra
    from volact_lab.serve import serve as serve_lab  # noqa: PLC0415

    inventory = Path(options.inventory_out)
    ready = Path(options.ready_file) if options.ready_file else None
    for path in (inventory, ready or inventory):
        AtomicFile(path).discard()  # an InputError for a place that cannot be written
    _require_own(inventory)
    lab = Lab(options.scenario, options.servers, options.seed)
    stop = asyncio.Event()
    with stop_on_signals(stop):
        line = count(
            options.servers,
            "{n} server, inventory {file}; Ctrl-C stops it",
            "{n} servers, inventory {file}; Ctrl-C stops them",
            file=inventory,
        )
        write_line(line)
        if options.while_stdin:
            set_at_end_of_input(stop)
        await serve_lab(lab, inventory, ready=ready, stop=stop)


def _require_own(inventory: Path) -> None:
    """``InputError`` for a file that is there and was not written by a lab."""
    from volact_lab.handout import FIRST_LINE  # noqa: PLC0415 - what it needs is an extra

    try:
        if not inventory.is_file() or not inventory.stat().st_size:
            return
        with inventory.open("rb") as file:
            ours = file.readline(len(FIRST_LINE)) == FIRST_LINE.encode()
    except OSError as error:
        raise unreadable(error, inventory) from error
    if not ours:
        raise InputError(
            say("is no inventory of a lab, and would be overwritten"),
            say("choose another file with --inventory-out"),
            where=str(inventory),
        )


def require_scenario(name: str) -> None:
    """``InputError`` for a scenario that is not there."""
    load_scenario(name)


def scenarios(options: LabScenariosOptions) -> int:
    """List the scenarios and their faults."""
    found = [load_scenario(name) for name in scenario_names()]
    rows = [(item.name, item.title) for item in found]
    write_answer(options.output, found, lambda: table((say("NAME"), say("FAULTS")), rows))
    return 0
