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
    """Show the selected servers and where their logins come from."""

    output: TableOrJson = "text"


@dataclass(frozen=True, kw_only=True)
class CheckOptions(SourceOptions):
    """Report every mistake in an inventory; exit code 2 for one."""

    output: TableOrJson = "text"


@dataclass(frozen=True, kw_only=True)
class ExportOptions(SourceOptions):
    """Convert the selected servers to another inventory format."""

    format: Annotated[
        Format,
        typer.Option("--format", "--output", "-o", help="Output format; never contains a secret."),
    ] = "toml"
