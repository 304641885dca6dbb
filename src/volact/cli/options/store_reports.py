"""Options of the verbs that read the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import typer

from volact.cli.options.language import Lang
from volact.cli.options.shared import Limit, OutputFormat, StoreUrl, complete_provider


@dataclass(frozen=True, kw_only=True)
class StoreReportOptions:
    """What every one of them takes."""

    store: StoreUrl = ""
    output: Annotated[
        OutputFormat, typer.Option("--output", "-o", help="What is written to standard output.")
    ] = "text"
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class FleetReportOptions(StoreReportOptions):
    """And those that look at the whole fleet."""

    limit: Limit = field(default_factory=list)
    provider: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Only the servers of this cloud.",
            autocompletion=complete_provider,
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class StatusOptions(FleetReportOptions):
    """Show how the fleet stands, as last seen; nobody is asked.

    Counts by verdict, provider, release and KMS host, days to the end of licences, what servers
    in trouble have in common, and how old that knowledge is.
    """

    stale: Annotated[
        str,
        typer.Option(
            metavar="SPAN", help="Name the servers not examined for so long: 7d, 12h or 2w."
        ),
    ] = "7d"


@dataclass(frozen=True, kw_only=True)
class ExpiringOptions(FleetReportOptions):
    """List the servers whose licence ends soon, has run out, or whose renewal is overdue.

    As last seen; nobody is asked. Servers of which the end is not known stand apart. Exit code 3
    when there are any, 4 when there are none but of some it is not known.
    """

    within: Annotated[str, typer.Option(metavar="SPAN", help="How soon: 30d, 12h or 2w.")] = "30d"


@dataclass(frozen=True, kw_only=True)
class RunsOptions(StoreReportOptions):
    """List the runs: when, what, how long, and what came of them."""

    last: Annotated[int, typer.Option(min=1, metavar="N", help="How many, the newest first.")] = 20


@dataclass(frozen=True, kw_only=True)
class DiffOptions(StoreReportOptions):
    """Compare two runs: which servers got worse or better, what appeared, what was resolved.

    Without runs the last two are compared. Exit code 3 when something got worse, 4 when nothing
    did but a server could not be examined any more.
    """

    first: Annotated[
        str,
        typer.Argument(metavar="RUN", help="An id, its beginning, last or last~1."),
    ] = "last~1"
    second: Annotated[
        str, typer.Argument(metavar="RUN", help="The later run, in the same way.")
    ] = "last"
    limit: Limit = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class HistoryOptions(StoreReportOptions):
    """Show every look at a server, newest first: what came, what went, what was done."""

    server: Annotated[
        str, typer.Argument(metavar="SERVER", help="The server's name.", show_default=False)
    ]
    since: Annotated[
        str, typer.Option(metavar="SPAN", help="Only the looks of this time: 30d, 12h or 2w.")
    ] = ""


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Write out what the store holds."""

    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A run's id, its beginning, or last; all runs without it."
        ),
    ] = ""
    output: Annotated[
        Literal["jsonl", "json", "csv"], typer.Option("--output", "-o", help="The format.")
    ] = "jsonl"
    to: Annotated[
        str, typer.Option("--to", metavar="FILE", help="A file instead of standard output.")
    ] = ""
    facts: Annotated[
        bool, typer.Option("--facts", help="The raw facts of every look too (not in csv).")
    ] = False
    store: StoreUrl = ""
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class PruneOptions:
    """Take old runs out of the store; the newest row of each server stays."""

    older_than: Annotated[
        str, typer.Option(metavar="SPAN", help="Runs that began longer ago: 90d, 12w, 36h.")
    ] = ""
    keep: Annotated[
        int, typer.Option(min=0, metavar="N", help="The newest N runs stay, however old.")
    ] = 0
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go.")] = False
    output: Annotated[
        Literal["text", "json"],
        typer.Option("--output", "-o", help="What is written to standard output."),
    ] = "text"
    store: StoreUrl = ""
    lang: Lang = ""
