"""``volact lab``: a simulated fleet behind real SSH, to try volact on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from volact.cli.options import TableOrJson

if TYPE_CHECKING:
    from volact.lab.lab import Lab


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
    return run_async(_serve(scenario, servers, seed, Path(inventory_out), ready))


async def _serve(
    scenario: str, servers: int, seed: int, inventory: Path, ready: Path | None
) -> int:
    import asyncio

    from volact.cli.runtime import stoppable

    lab_class = _lab_class()
    stop = asyncio.Event()
    with stoppable(stop):
        async with lab_class(scenario, servers, seed) as lab:
            lab.write_inventory(inventory)
            with _announced(f"{servers} servers are up, inventory {inventory}", ready):
                await stop.wait()
    return 0


def _lab_class() -> type[Lab]:
    from volact.errors import InputError

    try:
        from volact.lab.lab import Lab
    except ModuleNotFoundError as error:
        if error.name != "quickjs":
            raise
        hint = "pip install 'volact[lab]'"
        raise InputError("the lab needs the package quickjs-ng", hint) from error
    return Lab


@contextmanager
def _announced(line: str, ready: Path | None) -> Iterator[None]:
    """Say it, and let the ready file be there meanwhile."""
    sys.stderr.write(f"{line}; Ctrl-C ends it\n")
    sys.stderr.flush()
    if ready is not None:
        ready.write_text("ready\n", "utf-8")
    try:
        yield
    finally:
        if ready is not None:
            ready.unlink(missing_ok=True)


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
