"""``volact lab``: a simulated fleet behind real SSH, to try volact on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from volact.cli.options import TableOrJson


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
    from volact.lab.scenario import scenario_names

    return [name for name in scenario_names() if name.startswith(incomplete)]


def serve(
    servers: Annotated[
        int, typer.Option(min=1, max=20000, metavar="N", help="How many servers.")
    ] = 60,
    scenario: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Which faults, and how many.", autocompletion=complete_scenario
        ),
    ] = "tencent",
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same fleet.")] = 1,
    inventory_out: Annotated[
        str, typer.Option(metavar="FILE", help="Write the fleet's inventory there.")
    ] = "lab.toml",
    ready_file: Annotated[
        str, typer.Option(metavar="FILE", help="Appears when connections are accepted.")
    ] = "",
) -> int:
    """Start a simulated fleet and stay until stopped."""
    from volact.cli.runtime import run_async

    ready = Path(ready_file) if ready_file else None
    with _needs_quickjs():
        run_async(_serve(scenario, servers, seed, Path(inventory_out), ready))
    return 0


async def _serve(
    scenario: str, servers: int, seed: int, inventory: Path, ready: Path | None
) -> None:
    import asyncio

    from volact.cli.runtime import stoppable
    from volact.lab.lab import Lab
    from volact.lab.serve import serve as serve_lab

    lab = Lab(scenario, servers, seed)
    stop = asyncio.Event()
    with stoppable(stop):
        sys.stderr.write(f"{servers} servers, inventory {inventory}; Ctrl-C ends them\n")
        await serve_lab(lab, inventory, ready=ready, stop=stop)


@contextmanager
def _needs_quickjs() -> Iterator[None]:
    """The lab needs a package that volact itself does not."""
    from volact.errors import InputError

    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "quickjs":
            raise
        hint = "pip install 'volact[lab]'"
        raise InputError("the lab needs the package quickjs-ng", hint) from error


def scenarios(output: TableOrJson = "text") -> int:
    """List the scenarios and what is in them."""
    from volact.cli.console import table, use_stdout
    from volact.lab.scenario import load_scenario, scenario_names
    from volact.report.json_document import encode

    found = [load_scenario(name) for name in scenario_names()]
    out = use_stdout(output)
    if output == "json":
        out.write(encode(found) + "\n")
    else:
        out.write(table(("NAME", "WHAT"), [(item.name, item.title) for item in found]))
    return 0
