"""Options of the verbs that ask servers: which servers, how they are reached, what is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from volact.cli.options import shared
from volact.cli.options.completion import complete_target
from volact.cli.options.language import Lang
from volact.cli.options.parameter import arguments, flag, option, repeatable
from volact.core.console import Dialect
from volact.model import bounds
from volact.model.server import HostKeyPolicy

RETRIES = 2


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """Which servers are meant."""

    targets: list[str] = arguments(
        "Address, or name, tag or glob of the inventory.",
        "TARGET",
        show_default=False,
        autocompletion=complete_target,
    )
    inventory: str = option("", "Inventory: TOML, CSV or Ansible.", "FILE", "--inventory", "-i")
    from_: str = option(
        "",
        f"Servers as the cloud's own API lists them: {shared.LISTS}.",
        "CLOUD:REGION,...",
        "--from",
    )
    via: shared.Via | None = option(
        None, f"How servers of --from are reached; {' or '.join(shared.RUN_COMMANDS)} unless told."
    )
    from_filter: list[str] = repeatable(
        "Filter for --from: tag:KEY=, vpc-id= or another of the API's filters. Repeatable.",
        "NAME=VALUE",
    )
    limit: list[str] = repeatable(
        "Only these servers: name, tag or glob; !NAME: all but these. Repeatable.",
        "NAME",
        autocompletion=complete_target,
    )
    exclude: list[str] = repeatable(
        "Not these servers: name, tag or glob. Repeatable.", "NAME", autocompletion=complete_target
    )

    @property
    def limits(self) -> list[str]:
        """--limit and --exclude, as one list of words."""
        words = [word for text in self.exclude for word in text.strip(",").split(",")]
        return [*self.limit, *(f"!{word}" for word in words)]

    accounts: dict[str, str] = field(default_factory=dict, metadata=shared.OF_ACCOUNTS)
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class ConnectOptions(SourceOptions):
    """How servers are reached and by what they are judged."""

    provider: str = shared.provider()
    kms_host: list[str] = shared.kms_host()
    concurrency: int | None = option(
        None,
        "At most N servers at a time; without it as many as this machine bears.",
        "N",
        min=bounds.CONCURRENCY.least,
        max=bounds.CONCURRENCY.most,
    )
    processes: int | None = option(
        None,
        "Processes that hold the connections; default: by number of servers and cores.",
        "N",
        min=1,
        max=64,
    )
    pace: str = option(
        "", "Start at most N servers per second, minute or hour: N/s, N/m, N/h.", "N/s|N/m|N/h"
    )
    retries: int = option(
        RETRIES,
        "Retries for transient errors.",
        "N",
        min=bounds.RETRIES.least,
        max=bounds.RETRIES.most,
    )
    deadline: float = option(
        120.0,
        "Time limit for one server.",
        "SECONDS",
        min=bounds.DEADLINE_S.least,
        max=bounds.DEADLINE_S.most,
    )
    connect_timeout: float = option(15.0, "Time limit for the login.", "SECONDS", min=0.1, max=600)
    host_key_policy: HostKeyPolicy = option(
        "strict", "strict: key must be known; accept-new: accept unknown hosts; ignore: no check."
    )
    known_hosts: str = option("", "known_hosts file; default: the user's own.", "FILE")
    user: str = option("", "User for the login; default for addresses without one.", "NAME")
    key_file: list[str] = repeatable("Private key for the login. Repeatable.", "FILE")
    password_env: str = option("", "Environment variable with the password.", "VARIABLE")
    jump: str = option("", "SSH jump host; separate several with commas.", "USER@HOST[:PORT]")
    ssh_config: str = option(
        "", "SSH client configuration; default: the user's own; none: no file.", "FILE"
    )
    allow_commands: bool = flag(
        "--allow-commands", "Run the programs that a CSV or Ansible inventory names."
    )


@dataclass(frozen=True, kw_only=True)
class ServerOptions(ConnectOptions):
    """Options of every verb that checks servers and reports on them, except its output format."""

    ignore: list[str] = shared.ignore()
    report: list[str] = shared.report()
    notify: list[str] = repeatable(
        "Send a notification: https://… (webhook), an apprise URL (slack://…), or "
        "env:VARIABLE with one. Repeatable.",
        "URL",
    )
    store: str = shared.store()
    no_store: bool = flag("--no-store", "Do not store this run.")
    no_progress: bool = flag("--no-progress", "Show no progress on stderr.")
    verbose: bool = shared.verbose()


@dataclass(frozen=True, kw_only=True)
class FleetOptions(ServerOptions):
    """What the verbs take that report in the usual formats."""

    output: shared.OutputFormat = shared.output()


@dataclass(frozen=True, kw_only=True)
class CheckOptions(FleetOptions):
    """Check servers and report problems; changes nothing."""

    service: str = shared.service()


@dataclass(frozen=True, kw_only=True)
class PlanOptions(ServerOptions):
    """Show what activate would do; changes nothing."""

    output: shared.PlanOutput = shared.plan_output()
    dialect: Dialect | None = shared.dialect()
    service: str = shared.service()
    allow: list[str] = shared.allow()


@dataclass(frozen=True, kw_only=True)
class BundleOptions(ConnectOptions):
    """Write what servers answered to a file, with names removed.

    Checks the servers and changes nothing. Names, machine IDs and public addresses are
    replaced by pseudonyms; volact replay judges the file again.
    """

    to: str = option("volact-bundle.json", "Output file; must not exist.", "FILE", "--to")
    former: str = shared.former()


InventoryFormat = Literal["toml", "csv", "ansible"]


@dataclass(frozen=True, kw_only=True)
class InventoryShowOptions(SourceOptions):
    """Show the selected servers and where their logins come from."""

    output: shared.TableOrJson = shared.output()


@dataclass(frozen=True, kw_only=True)
class InventoryCheckOptions(SourceOptions):
    """Report every mistake in an inventory; exit code 2 for one."""

    output: shared.TableOrJson = shared.output()


@dataclass(frozen=True, kw_only=True)
class InventoryExportOptions(SourceOptions):
    """Convert the selected servers to another inventory format."""

    format: InventoryFormat = option(
        "toml", "Output format; never contains a secret.", None, "--format", "--output", "-o"
    )
