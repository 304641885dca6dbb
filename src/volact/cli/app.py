"""The command line as a whole, and usage errors as one line.

The verbs are listed in ``registry``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from volact import __version__
from volact.cli.failure import WRONG_INPUT, tell
from volact.cli.registry import make_app
from volact.cli.usage import usage_line
from volact.model.text import say

_HELP = """Keeps Windows Servers activated against their own cloud's KMS host.

Start with: volact explain 0xC004F074, volact demo, volact check ssh://user@host.

Exit codes: 0 no problems, 1 volact failed, 2 wrong usage, 3 a server needs attention,
4 a server could not be examined.
"""


def run(args: Sequence[str]) -> int:
    """Run a command line; usage errors are one line and exit code 2."""
    try:
        code = _app()(args or ["--help"], prog_name="volact", standalone_mode=False)
    except typer.Abort:
        tell(say("stopped; no further changes were made"))
        return 1
    except typer.TyperException as error:
        tell(usage_line(error, args))
        return WRONG_INPUT
    return code if isinstance(code, int) else 0


def _app() -> typer.Typer:
    app = make_app(help=_HELP)
    app.callback()(_start)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"volact {__version__}")
        raise typer.Exit


def _start(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """The options before a verb."""
