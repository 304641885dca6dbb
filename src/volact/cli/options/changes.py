"""Options of the verbs that change servers: what may be done, how carefully, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from volact.cli.options.completion import complete_run, complete_run_then_server
from volact.cli.options.servers import FleetOptions
from volact.cli.options.shared import Allow, ApplyYes, ReplaceKey, ServiceUrl

# The default limit of one run at a KMS host: as much as it does at all unless
# --concurrency is raised.
KMS_CONCURRENCY = 50


@dataclass(frozen=True, kw_only=True)
class CautionOptions(FleetOptions):
    """How carefully servers are changed one after another."""

    canary: Annotated[
        str,
        typer.Option(
            metavar="N|%[:FAILURES]",
            help="Run N or N% of the servers first; stop if more than FAILURES (0) of them fail.",
        ),
    ] = ""
    max_failures: Annotated[
        str,
        typer.Option(metavar="N|%", help="Start no more servers after more than N or N% failed."),
    ] = ""
    kms_concurrency: Annotated[
        int,
        typer.Option(min=1, max=2000, metavar="N", help="Activations at a time per KMS host."),
    ] = KMS_CONCURRENCY


@dataclass(frozen=True, kw_only=True)
class RolloutOptions(CautionOptions):
    """And where it goes on."""

    resume: Annotated[
        str,
        typer.Option(
            metavar="RUN",
            autocompletion=complete_run,
            help="Skip servers that this run verified less than an hour ago; last: the last run.",
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class ActivateOptions(RolloutOptions):
    """Repair and activate servers; asks before any change."""

    service: ServiceUrl = ""
    yes: ApplyYes = False
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show the plan and change nothing, as volact plan does."),
    ] = False
    replace_key: ReplaceKey = False
    allow: Allow = field(default_factory=list)
    override_entitlement: Annotated[
        str,
        typer.Option(
            metavar="REASON",
            help="Activate servers although their image is not entitled; the reason is recorded.",
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class UndoOptions(FleetOptions):
    """Undo the changes of a run; asks before any change."""

    service: ServiceUrl = ""
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN [SERVER]...",
            autocompletion=complete_run_then_server,
            help="Run id, its beginning, or last; then, if given, only these servers of it.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    yes: ApplyYes = False
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and show what would be restored.")
    ] = False
    allow: Annotated[
        list[str],
        typer.Option(
            "--allow", metavar="STEP", help="restore-debugger: also restore a removed debugger."
        ),
    ] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class WatchOptions(CautionOptions):
    """Check at an interval, repair if allowed, report changes.

    Ctrl-C stops it.
    """

    every: Annotated[
        str, typer.Option(metavar="SPAN", help="Interval between the starts of two checks.")
    ] = "6h"
    jitter: Annotated[
        str,
        typer.Option(
            metavar="SPAN",
            help="Random delay of at most this long; default: a twentieth of the interval.",
        ),
    ] = ""
    once: Annotated[bool, typer.Option("--once", help="Check once, then exit.")] = False
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair and activate, as activate --yes does.")
    ] = False
    allow: Allow = field(default_factory=list)
    replace_key: ReplaceKey = False
    expiring: Annotated[
        str, typer.Option(metavar="SPAN", help="Report licences that end within this time.")
    ] = "30d"
    print_systemd: Annotated[
        bool, typer.Option("--print-systemd", help="Print a systemd service and timer and exit.")
    ] = False
    print_cron: Annotated[
        bool, typer.Option("--print-cron", help="Print a crontab line and exit.")
    ] = False
