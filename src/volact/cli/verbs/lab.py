"""``volact lab``: a simulated fleet behind real SSH, to try volact on."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from volact.cli.language import Lang
from volact.cli.options import TableOrJson, takes

if TYPE_CHECKING:
    import asyncio


def register(app: typer.Typer) -> None:
    """Add the verb with its two halves."""
    lab = typer.Typer(
        help="A simulated fleet of Windows Servers behind real SSH.",
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    lab.command("serve")(serve)
    lab.command("scenarios")(scenarios)
    app.add_typer(lab, name="lab")


def complete_scenario(incomplete: str) -> list[str]:
    """Shell completion for scenario names."""
    from volact_lab.scenario import scenario_names

    return [name for name in scenario_names() if name.startswith(incomplete)]


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """Which fleet, and the files that tell of it."""

    servers: Annotated[
        int, typer.Option(min=1, max=20000, metavar="N", help="How many servers.")
    ] = 60
    scenario: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Which faults, and how many.", autocompletion=complete_scenario
        ),
    ] = "tencent"
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same fleet.")] = 1
    inventory_out: Annotated[
        str, typer.Option(metavar="FILE", help="Write the fleet's inventory there.")
    ] = "lab.toml"
    ready_file: Annotated[
        str, typer.Option(metavar="FILE", help="Appears when connections are accepted.")
    ] = ""
    while_stdin: Annotated[
        bool, typer.Option("--while-stdin", help="End when standard input ends.")
    ] = False
    lang: Lang = ""


@takes(ServeOptions)
def serve(options: ServeOptions) -> int:
    """Start a simulated fleet and stay until stopped."""
    from volact.cli.runtime import run_async

    with _needs_its_packages():
        run_async(_serve(options))
    return 0


async def _serve(options: ServeOptions) -> None:
    import asyncio

    from volact.cli.runtime import stoppable
    from volact.model.text import say
    from volact.words import tr
    from volact_lab.lab import Lab
    from volact_lab.serve import serve as serve_lab

    inventory = Path(options.inventory_out)
    ready = Path(options.ready_file) if options.ready_file else None
    lab = Lab(options.scenario, options.servers, options.seed)
    stop = asyncio.Event()
    with stoppable(stop):
        line = say(
            "{n} servers, inventory {file}; Ctrl-C ends them", n=options.servers, file=inventory
        )
        sys.stderr.write(tr(line) + "\n")
        if options.while_stdin:
            _set_at_end_of_input(stop)
        await serve_lab(lab, inventory, ready=ready, stop=stop)


def _set_at_end_of_input(stop: asyncio.Event) -> None:
    """Whoever started this lab holds the other end of its input: when it is gone, so is that."""
    import asyncio

    loop = asyncio.get_running_loop()

    def watch() -> None:
        while os.read(0, 1024):
            pass
        with suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, name="lab-input", daemon=True).start()


@contextmanager
def _needs_its_packages() -> Iterator[None]:
    """The lab needs packages that volact itself does not."""
    from volact.errors import InputError

    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "volact").startswith("volact"):
            raise
        hint = "pip install 'volact[lab]'"
        raise InputError(f"the lab needs the package {error.name}", hint) from error


def scenarios(output: TableOrJson = "text", lang: Lang = "") -> int:
    """List the scenarios and what is in them."""
    from volact.cli.console import table, use_stdout
    from volact.report.json_document import encode
    from volact_lab.scenario import load_scenario, scenario_names

    found = [load_scenario(name) for name in scenario_names()]
    out = use_stdout(output)
    if output == "json":
        out.write(encode(found) + "\n")
    else:
        out.write(table(("NAME", "WHAT"), [(item.name, item.title) for item in found]))
    return 0
