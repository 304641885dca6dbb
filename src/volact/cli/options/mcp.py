"""Options of ``volact mcp``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from volact.cli.options.language import Lang
from volact.cli.options.shared import StoreUrl


@dataclass(frozen=True, kw_only=True)
class McpOptions:
    """Serve read-only tools for a language model (MCP).

    The tools explain codes and findings and read the store. With an inventory one more
    examines its servers and plans. None of them changes a server.
    """

    inventory: Annotated[
        str,
        typer.Option(
            "--inventory", "-i", metavar="FILE", help="Offer plans for servers of this inventory."
        ),
    ] = ""
    store: StoreUrl = ""
    lang: Lang = ""
