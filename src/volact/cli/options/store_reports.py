"""Options of the verbs that read the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from volact.cli.options import shared
from volact.cli.options.completion import complete_run, complete_server
from volact.cli.options.language import Lang
from volact.cli.options.parameter import argument, arguments, flag, option


@dataclass(frozen=True, kw_only=True)
class StoreReportOptions:
    """What every one of them takes."""

    store: str = shared.store()
    output: shared.OutputFormat = shared.output()
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class FleetReportOptions(StoreReportOptions):
    """And those of the whole fleet."""

    limit: list[str] = shared.limit()
    provider: str = shared.provider("Only servers of this provider.")


@dataclass(frozen=True, kw_only=True)
class StatusOptions(FleetReportOptions):
    """Show the fleet's state from the store; contacts no server.

    Counts by verdict, provider, release and KMS host, days of licence left, common causes, and
    the age of the data.
    """

    service: str = shared.store_service()
    stale: str = option("7d", "List servers not examined for this long: 7d, 12h or 2w.", "SPAN")


@dataclass(frozen=True, kw_only=True)
class ExpiringOptions(FleetReportOptions):
    """List licences that end soon, have expired or are overdue.

    Reads the store; contacts no server. Servers with unknown expiry are listed separately.
    Exit code 3 when a server is listed, 4 when none is but the expiry of some is unknown.
    """

    within: str = option("30d", "Time to expiry: 30d, 12h or 2w.", "SPAN")


@dataclass(frozen=True, kw_only=True)
class RunsOptions(StoreReportOptions):
    """List the runs: time, command, duration and result."""

    service: str = shared.store_service()
    last: int = option(20, "Number of runs, newest first.", "N", min=1)


@dataclass(frozen=True, kw_only=True)
class DiffOptions(StoreReportOptions):
    """Compare two runs: servers and findings that changed.

    Without run ids it compares the last two. Exit code 3 when a server got worse, 4 when none
    did but one could not be examined any more.
    """

    service: str = shared.store_service()
    first: str = argument(
        "last~1", "Run id, its beginning, last or last~1.", "RUN", autocompletion=complete_run
    )
    second: str = argument(
        "last", "The later run, in the same form.", "RUN", autocompletion=complete_run
    )
    limit: list[str] = shared.limit()


@dataclass(frozen=True, kw_only=True)
class HistoryOptions(StoreReportOptions):
    """Show a server's checks and changes, newest first."""

    service: str = shared.store_service()
    server: Annotated[
        str,
        typer.Argument(
            metavar="SERVER",
            help="The server's name.",
            show_default=False,
            autocompletion=complete_server,
        ),
    ]
    since: str = option("", "Only checks within this time: 30d, 12h or 2w.", "SPAN")


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Export the store."""

    run: str | None = argument(
        None,
        "Run id, its beginning, or last; default: all runs.",
        "RUN",
        autocompletion=complete_run,
    )
    output: Literal["jsonl", "json", "csv"] = option(
        "jsonl", "Output format.", None, "--output", "-o"
    )
    to: str = option("", "Output file; default: standard output.", "FILE", "--to")
    facts: bool = flag("--facts", "Include the raw facts of every check (not in csv).")
    store: str = shared.store()
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class PruneOptions:
    """Delete old runs; keeps each server's newest row."""

    older_than: str = option("", "Runs older than this: 90d, 12w, 36h.", "SPAN")
    keep: int = option(0, "Keep the newest N runs, of any age.", "N", min=0)
    dry_run: bool = shared.dry_deletion()
    output: shared.TableOrJson = shared.output()
    store: str = shared.store()
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class ForgetOptions:
    """Delete servers from the store; asks first.

    Deletes their checks, facts and steps, so that their changes cannot be undone any more, and
    their names in what runs say of themselves.
    """

    servers: list[str] = arguments(
        "Name or glob of the store; several.",
        "SERVER",
        show_default=False,
        autocompletion=complete_server,
    )
    older_than: str = option("", "Only servers in no run for this long: 90d, 12w.", "SPAN")
    yes: bool = flag("--yes", "Delete without asking.", "-y")
    dry_run: bool = shared.dry_deletion()
    output: shared.TableOrJson = shared.output()
    store: str = shared.store()
    lang: Lang = ""
