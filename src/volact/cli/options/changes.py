"""Options of the verbs that change servers: what may be done, how carefully, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from volact.cli.options import shared
from volact.cli.options.completion import complete_run, complete_run_then_server
from volact.cli.options.parameter import arguments, flag, option, repeatable
from volact.cli.options.servers import FleetOptions
from volact.model.bounds import CONCURRENCY

# The default limit of one run at a KMS host: as much as it does at all unless
# --concurrency is raised.
KMS_CONCURRENCY = 50


@dataclass(frozen=True, kw_only=True)
class CautionOptions(FleetOptions):
    """How carefully servers are changed one after another."""

    canary: str = option(
        "",
        "Run N or N% of the servers first; stop if more than FAILURES (0) of them fail.",
        "N|%[:FAILURES]",
    )
    max_failures: str = option("", "Start no more servers after more than N or N% failed.", "N|%")
    kms_concurrency: int = option(
        KMS_CONCURRENCY,
        "Activations at a time per KMS host.",
        "N",
        min=CONCURRENCY.least,
        max=CONCURRENCY.most,
    )


@dataclass(frozen=True, kw_only=True)
class RolloutOptions(CautionOptions):
    """And where it goes on."""

    resume: str = option(
        "",
        "Skip servers that this run verified less than an hour ago; last: the last run.",
        "RUN",
        autocompletion=complete_run,
    )


@dataclass(frozen=True, kw_only=True)
class ActivateOptions(RolloutOptions):
    """Repair and activate servers; asks before any change."""

    service: str = shared.service()
    yes: bool = shared.yes()
    dry_run: bool = flag("--dry-run", "Show the plan and change nothing, as volact plan does.")
    replace_key: bool = shared.replace_key()
    allow: list[str] = shared.allow()
    override_entitlement: str = option(
        "",
        "Activate servers although their image is not entitled; the reason is recorded.",
        "REASON",
    )


@dataclass(frozen=True, kw_only=True)
class UndoOptions(FleetOptions):
    """Undo the changes of a run; asks before any change."""

    service: str = shared.service()
    targets: list[str] = arguments(
        "Run id, its beginning, or last; then, if given, only these servers of it.",
        "RUN [SERVER]...",
        autocompletion=complete_run_then_server,
        show_default=False,
    )
    yes: bool = shared.yes()
    dry_run: bool = flag("--dry-run", "Check and show what would be restored.")
    allow: list[str] = repeatable(
        "restore-debugger: also restore a removed debugger.", "STEP", "--allow"
    )


@dataclass(frozen=True, kw_only=True)
class WatchOptions(CautionOptions):
    """Check at an interval, repair if allowed, report changes.

    Ctrl-C stops it.
    """

    every: str = option("6h", "Interval between the starts of two checks.", "SPAN")
    jitter: str = option(
        "", "Random delay of at most this long; default: a twentieth of the interval.", "SPAN"
    )
    once: bool = flag("--once", "Check once, then exit.")
    repair: bool = flag("--repair", "Repair and activate, as activate --yes does.")
    allow: list[str] = shared.allow()
    replace_key: bool = shared.replace_key()
    expiring: str = option("30d", "Report licences that end within this time.", "SPAN")
    print_systemd: bool = flag("--print-systemd", "Print a systemd service and timer and exit.")
    print_cron: bool = flag("--print-cron", "Print a crontab line and exit.")
