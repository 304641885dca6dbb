"""Options of ``volact inventory``: what it shows, checks and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from volact.cli.options.servers import SourceOptions
from volact.cli.options.shared import TableOrJson

Format = Literal["toml", "csv", "ansible"]


@dataclass(frozen=True, kw_only=True)
class ShowOptions(SourceOptions):
    """Show the servers that are meant and where their logins come from; no secret."""

    output: TableOrJson = "text"


@dataclass(frozen=True, kw_only=True)
class CheckOptions(SourceOptions):
    """Look for everything that is wrong in an inventory; exit code 2 when there is any."""

    output: TableOrJson = "text"


@dataclass(frozen=True, kw_only=True)
class ExportOptions(SourceOptions):
    """Write the servers that are meant as another kind of inventory."""

    format: Annotated[
        Format, typer.Option(help="What is written to standard output; never a secret.")
    ] = "toml"
