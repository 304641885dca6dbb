"""Options of the verbs that ask servers: which servers, how they are reached, what is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import typer

from volact.cli.options.completion import complete_target
from volact.cli.options.language import Lang
from volact.cli.options.shared import (
    LISTS,
    OF_ACCOUNTS,
    RETRIES,
    RUN_COMMANDS,
    Allow,
    DialectOption,
    Former,
    HostKeyPolicy,
    Ignore,
    KmsHosts,
    NoStore,
    OutputFormat,
    Pace,
    PlanOutput,
    Provider,
    Retries,
    ServiceUrl,
    StoreUrl,
    TableOrJson,
    Verbose,
    Via,
)


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """Which servers are meant."""

    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="TARGET",
            help="Address, or name, tag or glob of the inventory.",
            show_default=False,
            autocompletion=complete_target,
        ),
    ] = field(default_factory=list)
    inventory: Annotated[
        str,
        typer.Option("--inventory", "-i", metavar="FILE", help="Inventory: TOML, CSV or Ansible."),
    ] = ""
    from_: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="CLOUD:REGION,...",
            help=f"Servers as the cloud's own API lists them: {LISTS}.",
        ),
    ] = ""
    via: Annotated[
        Via | None,
        typer.Option(
            help=f"How servers of --from are reached; {' or '.join(RUN_COMMANDS)} unless told."
        ),
    ] = None
    from_filter: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=VALUE",
            help="Filter for --from: tag:KEY=, vpc-id= or another of the API's filters. "
            "Repeatable.",
        ),
    ] = field(default_factory=list)
    limit: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            help="Only these servers: name, tag or glob; !NAME: all but these. Repeatable.",
            autocompletion=complete_target,
        ),
    ] = field(default_factory=list)
    exclude: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            help="Not these servers: name, tag or glob. Repeatable.",
            autocompletion=complete_target,
        ),
    ] = field(default_factory=list)

    @property
    def limits(self) -> list[str]:
        """--limit and --exclude, as one list of words."""
        words = [word for text in self.exclude for word in text.strip(",").split(",")]
        return [*self.limit, *(f"!{word}" for word in words)]

    accounts: dict[str, str] = field(default_factory=dict, metadata=OF_ACCOUNTS)
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class ConnectOptions(SourceOptions):
    """How servers are reached and by what they are judged."""

    provider: Provider = ""
    kms_host: KmsHosts = field(default_factory=list)
    concurrency: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=2000,
            metavar="N",
            help="At most N servers at a time; without it as many as this machine bears.",
        ),
    ] = None
    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            metavar="N",
            help="Processes that hold the connections; default: by number of servers and cores.",
        ),
    ] = None
    pace: Pace = ""
    retries: Retries = RETRIES
    deadline: Annotated[
        float,
        typer.Option(min=1, max=3600, metavar="SECONDS", help="Time limit for one server."),
    ] = 120.0
    connect_timeout: Annotated[
        float,
        typer.Option(min=0.1, max=600, metavar="SECONDS", help="Time limit for the login."),
    ] = 15.0
    host_key_policy: Annotated[
        HostKeyPolicy,
        typer.Option(
            help="strict: key must be known; accept-new: accept unknown hosts; ignore: no check."
        ),
    ] = "strict"
    known_hosts: Annotated[
        str, typer.Option(metavar="FILE", help="known_hosts file; default: the user's own.")
    ] = ""
    user: Annotated[
        str,
        typer.Option(metavar="NAME", help="User for the login; default for addresses without one."),
    ] = ""
    key_file: Annotated[
        list[str],
        typer.Option(metavar="FILE", help="Private key for the login. Repeatable."),
    ] = field(default_factory=list)
    password_env: Annotated[
        str,
        typer.Option(metavar="VARIABLE", help="Environment variable with the password."),
    ] = ""
    jump: Annotated[
        str,
        typer.Option(
            metavar="USER@HOST[:PORT]", help="SSH jump host; separate several with commas."
        ),
    ] = ""
    ssh_config: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="SSH client configuration; default: the user's own; none: no file."
        ),
    ] = ""
    allow_commands: Annotated[
        bool,
        typer.Option(
            "--allow-commands",
            help="Run the programs that a CSV or Ansible inventory names.",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ServerOptions(ConnectOptions):
    """Options of every verb that checks servers and reports on them, except its output format."""

    ignore: Ignore = field(default_factory=list)
    report: Annotated[
        list[str],
        typer.Option(
            metavar="FORMAT=FILE",
            help="Write a report: html=, json=, jsonl=, csv=, junit=, prometheus= or "
            "text=FILE; separate several with commas. Repeatable.",
        ),
    ] = field(default_factory=list)
    notify: Annotated[
        list[str],
        typer.Option(
            metavar="URL",
            help="Send a notification: https://… (webhook), an apprise URL (slack://…), or "
            "env:VARIABLE with one. Repeatable.",
        ),
    ] = field(default_factory=list)
    store: StoreUrl = ""
    no_store: NoStore = False
    no_progress: Annotated[
        bool, typer.Option("--no-progress", help="Show no progress on stderr.")
    ] = False
    verbose: Verbose = False


@dataclass(frozen=True, kw_only=True)
class FleetOptions(ServerOptions):
    """What the verbs take that report in the usual formats."""

    output: OutputFormat = "text"


@dataclass(frozen=True, kw_only=True)
class CheckOptions(FleetOptions):
    """Check servers and report problems; changes nothing."""

    service: ServiceUrl = ""


@dataclass(frozen=True, kw_only=True)
class PlanOptions(ServerOptions):
    """Show what activate would do; changes nothing."""

    output: PlanOutput = "text"
    dialect: DialectOption = None
    service: ServiceUrl = ""
    allow: Allow = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class BundleOptions(ConnectOptions):
    """Write what servers answered to a file, with names removed.

    Checks the servers and changes nothing. Names, machine IDs and public addresses are
    replaced by pseudonyms; volact replay judges the file again.
    """

    to: Annotated[
        str, typer.Option("--to", metavar="FILE", help="Output file; must not exist.")
    ] = "volact-bundle.json"
    former: Former = ""


InventoryFormat = Literal["toml", "csv", "ansible"]


@dataclass(frozen=True, kw_only=True)
class InventoryShowOptions(SourceOptions):
    """Show the selected servers and where their logins come from."""

    output: TableOrJson = "text"


@dataclass(frozen=True, kw_only=True)
class InventoryCheckOptions(SourceOptions):
    """Report every mistake in an inventory; exit code 2 for one."""

    output: TableOrJson = "text"


@dataclass(frozen=True, kw_only=True)
class InventoryExportOptions(SourceOptions):
    """Convert the selected servers to another inventory format."""

    format: Annotated[
        InventoryFormat,
        typer.Option("--format", "--output", "-o", help="Output format; never contains a secret."),
    ] = "toml"
