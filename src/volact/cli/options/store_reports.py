"""Options of the verbs that read the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import typer

from volact.cli.options.completion import complete_provider, complete_run, complete_server
from volact.cli.options.language import Lang
from volact.cli.options.shared import (
    DryDeletion,
    Limit,
    OutputFormat,
    ServiceUrl,
    StoreUrl,
    TableOrJson,
)


@dataclass(frozen=True, kw_only=True)
class StoreReportOptions:
    """What every one of them takes."""

    store: StoreUrl = ""
    output: OutputFormat = "text"
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class FleetReportOptions(StoreReportOptions):
    """And those of the whole fleet."""

    limit: Limit = field(default_factory=list)
    provider: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Only servers of this provider.",
            autocompletion=complete_provider,
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class StatusOptions(FleetReportOptions):
    """Show the fleet's state from the store; contacts no server.

    Counts by verdict, provider, release and KMS host, days of licence left, common causes, and
    the age of the data.
    """

    service: ServiceUrl = ""
    stale: Annotated[
        str,
        typer.Option(
            metavar="SPAN", help="List servers not examined for this long: 7d, 12h or 2w."
        ),
    ] = "7d"


@dataclass(frozen=True, kw_only=True)
class ExpiringOptions(FleetReportOptions):
    """List licences that end soon, have expired or are overdue.

    Reads the store; contacts no server. Servers with unknown expiry are listed separately.
    Exit code 3 when a server is listed, 4 when none is but the expiry of some is unknown.
    """

    within: Annotated[str, typer.Option(metavar="SPAN", help="Time to expiry: 30d, 12h or 2w.")] = (
        "30d"
    )


@dataclass(frozen=True, kw_only=True)
class RunsOptions(StoreReportOptions):
    """List the runs: time, command, duration and result."""

    service: ServiceUrl = ""
    last: Annotated[int, typer.Option(min=1, metavar="N", help="Number of runs, newest first.")] = (
        20
    )


@dataclass(frozen=True, kw_only=True)
class DiffOptions(StoreReportOptions):
    """Compare two runs: servers and findings that changed.

    Without run ids it compares the last two. Exit code 3 when a server got worse, 4 when none
    did but one could not be examined any more.
    """

    service: ServiceUrl = ""
    first: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="Run id, its beginning, last or last~1.",
            autocompletion=complete_run,
        ),
    ] = "last~1"
    second: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="The later run, in the same form.", autocompletion=complete_run
        ),
    ] = "last"
    limit: Limit = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class HistoryOptions(StoreReportOptions):
    """Show a server's checks and changes, newest first."""

    service: ServiceUrl = ""
    server: Annotated[
        str,
        typer.Argument(
            metavar="SERVER",
            help="The server's name.",
            show_default=False,
            autocompletion=complete_server,
        ),
    ]
    since: Annotated[
        str, typer.Option(metavar="SPAN", help="Only checks within this time: 30d, 12h or 2w.")
    ] = ""


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Export the store."""

    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="Run id, its beginning, or last; default: all runs.",
            autocompletion=complete_run,
        ),
    ] = ""
    output: Annotated[
        Literal["jsonl", "json", "csv"], typer.Option("--output", "-o", help="Output format.")
    ] = "jsonl"
    to: Annotated[
        str, typer.Option("--to", metavar="FILE", help="Output file; default: standard output.")
    ] = ""
    facts: Annotated[
        bool, typer.Option("--facts", help="Include the raw facts of every check (not in csv).")
    ] = False
    store: StoreUrl = ""
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class PruneOptions:
    """Delete old runs; keeps each server's newest row."""

    older_than: Annotated[
        str, typer.Option(metavar="SPAN", help="Runs older than this: 90d, 12w, 36h.")
    ] = ""
    keep: Annotated[
        int, typer.Option(min=0, metavar="N", help="Keep the newest N runs, of any age.")
    ] = 0
    dry_run: DryDeletion = False
    output: TableOrJson = "text"
    store: StoreUrl = ""
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class ForgetOptions:
    """Delete servers from the store; asks first.

    Deletes their checks, facts and steps, so that their changes cannot be undone any more, and
    their names in what runs say of themselves.
    """

    servers: Annotated[
        list[str],
        typer.Argument(
            metavar="SERVER",
            help="Name or glob of the store; several.",
            show_default=False,
            autocompletion=complete_server,
        ),
    ] = field(default_factory=list)
    older_than: Annotated[
        str, typer.Option(metavar="SPAN", help="Only servers in no run for this long: 90d, 12w.")
    ] = ""
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False
    dry_run: DryDeletion = False
    output: TableOrJson = "text"
    store: StoreUrl = ""
    lang: Lang = ""
