"""Options of the verbs that change servers: what may be done, how carefully, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from volact.cli.options.servers import FleetOptions
from volact.cli.options.shared import Allow

# What one run does at a KMS host without being told: as much as it does at all
# unless --concurrency is raised.
KMS_CONCURRENCY = 50


@dataclass(frozen=True, kw_only=True)
class CautionOptions(FleetOptions):
    """How carefully servers are changed one after another."""

    canary: Annotated[
        str,
        typer.Option(
            metavar="N|%[:FAILURES]",
            help="So many first; stop if more than FAILURES (0) of them fail.",
        ),
    ] = ""
    max_failures: Annotated[
        str,
        typer.Option(metavar="N|%", help="Begin no more servers once more than so many failed."),
    ] = ""
    kms_concurrency: Annotated[
        int,
        typer.Option(
            min=1, max=2000, metavar="N", help="How many activations at a time at each KMS host."
        ),
    ] = KMS_CONCURRENCY


@dataclass(frozen=True, kw_only=True)
class RolloutOptions(CautionOptions):
    """And where it goes on."""

    resume: Annotated[
        str,
        typer.Option(
            metavar="RUN", help="Leave out what that run verified less than an hour ago; or: last."
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class ActivateOptions(RolloutOptions):
    """Put servers right and activate them; asks before it changes anything."""

    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before changing.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="The same as volact plan.")] = False
    replace_key: Annotated[
        bool,
        typer.Option("--replace-key", help="Allow a retail, MAK or OEM key to be replaced."),
    ] = False
    allow: Allow = field(default_factory=list)
    override_entitlement: Annotated[
        str,
        typer.Option(
            metavar="REASON",
            help="Activate servers whose image does not entitle them; the reason is recorded.",
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class UndoOptions(FleetOptions):
    """Put back what a run changed; asks before it changes anything."""

    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN [SERVER]...",
            help="A run of the store (its id, the beginning of it, or last), then only these"
            " of its servers.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before changing.")] = False
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look and say what would be put back.")
    ] = False
    allow: Annotated[
        list[str],
        typer.Option(
            "--allow", metavar="STEP", help="restore-debugger: put a removed debugger back, too."
        ),
    ] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class WatchOptions(CautionOptions):
    """Look again and again, repair if allowed, and tell of what changed.

    Ctrl-C ends it.
    """

    every: Annotated[
        str, typer.Option(metavar="SPAN", help="From the begin of a look to that of the next.")
    ] = "6h"
    jitter: Annotated[
        str,
        typer.Option(
            metavar="SPAN", help="At most so much later, by chance; a twentieth unless told."
        ),
    ] = ""
    once: Annotated[bool, typer.Option("--once", help="One look, then end.")] = False
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair and activate as activate --yes does.")
    ] = False
    allow: Allow = field(default_factory=list)
    replace_key: Annotated[
        bool,
        typer.Option("--replace-key", help="Allow a retail, MAK or OEM key to be replaced."),
    ] = False
    expiring: Annotated[
        str, typer.Option(metavar="SPAN", help="Tell when less than this is left of a licence.")
    ] = "30d"
    print_systemd: Annotated[
        bool, typer.Option("--print-systemd", help="Print a service and a timer; do nothing else.")
    ] = False
    print_cron: Annotated[
        bool, typer.Option("--print-cron", help="Print a line for a crontab; do nothing else.")
    ] = False
