"""Options of the verbs that ask servers: which servers, how they are reached, what is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from volact.cli.options.accounts import OF_ACCOUNTS
from volact.cli.options.language import Lang
from volact.cli.options.shared import (
    LISTS,
    RETRIES,
    RUN_COMMANDS,
    Allow,
    HostKeyPolicy,
    KmsHosts,
    NoStore,
    OutputFormat,
    Pace,
    PlanFormat,
    Provider,
    Retries,
    StoreUrl,
    Via,
)


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """Which servers are meant."""

    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="TARGET",
            help="An address, or names, tags and globs of the inventory.",
            show_default=False,
        ),
    ] = field(default_factory=list)
    inventory: Annotated[
        str,
        typer.Option(
            "--inventory", "-i", metavar="FILE", help="Servers: TOML, CSV or an Ansible inventory."
        ),
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
            help="Only these of --from: tag:KEY=, vpc-id= and the API's other filters. Repeatable.",
        ),
    ] = field(default_factory=list)
    limit: Annotated[
        list[str],
        typer.Option(metavar="NAME", help="Only these: names, tags or globs. Repeatable."),
    ] = field(default_factory=list)
    accounts: dict[str, str] = field(default_factory=dict, metadata=OF_ACCOUNTS)
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class ConnectOptions(SourceOptions):
    """How servers are reached and by what they are judged."""

    provider: Provider = ""
    kms_host: KmsHosts = field(default_factory=list)
    concurrency: Annotated[
        int, typer.Option(min=1, max=2000, metavar="N", help="How many servers at a time.")
    ] = 50
    pace: Pace = ""
    retries: Retries = RETRIES
    deadline: Annotated[
        float,
        typer.Option(min=1, max=3600, metavar="SECONDS", help="The time one server may take."),
    ] = 120.0
    connect_timeout: Annotated[
        float,
        typer.Option(min=0.1, max=600, metavar="SECONDS", help="The time a login may take."),
    ] = 15.0
    host_key_policy: Annotated[
        HostKeyPolicy,
        typer.Option(help="strict: must be known; accept-new: learn new ones; ignore: no check."),
    ] = "strict"
    known_hosts: Annotated[
        str, typer.Option(metavar="FILE", help="Known host keys, instead of the user's own file.")
    ] = ""
    user: Annotated[
        str, typer.Option(metavar="NAME", help="Who logs in, where no address says so.")
    ] = ""
    key_file: Annotated[
        list[str],
        typer.Option(metavar="FILE", help="Private key to log in with. Repeatable."),
    ] = field(default_factory=list)
    password_env: Annotated[
        str,
        typer.Option(metavar="VARIABLE", help="Environment variable that holds the password."),
    ] = ""
    jump: Annotated[
        str,
        typer.Option(
            metavar="USER@HOST[:PORT]", help="SSH over this machine; several with commas."
        ),
    ] = ""
    ssh_config: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="SSH settings instead of the user's own; none reads no file."
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

    report: Annotated[
        list[str],
        typer.Option(
            metavar="FORMAT=FILE",
            help="Also write html=, json=, jsonl=, csv=, junit=, prometheus= or text= to a file;"
            " several with commas. Repeatable.",
        ),
    ] = field(default_factory=list)
    notify: Annotated[
        list[str],
        typer.Option(
            metavar="URL",
            help="Tell people of the run: https://… (a webhook), a URL of apprise (slack://…),"
            " or env:VARIABLE that holds one. Repeatable.",
        ),
    ] = field(default_factory=list)
    store: StoreUrl = ""
    no_store: NoStore = False
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress on stderr.")] = (
        False
    )
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List healthy servers and every step too.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class FleetOptions(ServerOptions):
    """What the verbs take that report in the usual formats."""

    output: Annotated[
        OutputFormat, typer.Option("--output", "-o", help="What is written to standard output.")
    ] = "text"


@dataclass(frozen=True, kw_only=True)
class CheckOptions(FleetOptions):
    """Look at servers and say what is wrong; change nothing."""


@dataclass(frozen=True, kw_only=True)
class PlanOptions(ServerOptions):
    """Say what activate would do; change nothing."""

    output: Annotated[
        PlanFormat,
        typer.Option(
            "--format",
            "--output",
            "-o",
            help="What is written to standard output; commands: as typed in cmd.exe.",
        ),
    ] = "text"
    allow: Allow = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class BundleOptions(ConnectOptions):
    """Write what servers answered to a file without names, to attach to a report.

    Checks the servers and changes nothing. Names, machine IDs and public addresses are
    replaced by pseudonyms; volact replay judges the file again.
    """

    out: Annotated[
        str, typer.Option("--to", "-o", metavar="FILE", help="Output file; must not exist.")
    ] = "volact-bundle.json"
