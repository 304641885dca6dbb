"""Options of the verbs that ask no server of the fleet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import typer

from volact.cli.options.completion import complete_provider
from volact.cli.options.language import Lang
from volact.cli.options.shared import (
    DialectOption,
    Former,
    Ignore,
    KmsHosts,
    PlanOutput,
    Provider,
    TableOrJson,
    Verbose,
)


@dataclass(frozen=True, kw_only=True)
class EndpointOptions:
    """Check KMS hosts, time servers and DNS from this machine.

    Shows name resolution, connection, DCE/RPC bind and latency of each KMS host, and offset and
    delay of each time server. Nothing is activated. Exit code 3 when a check fails.
    """

    provider: Provider = ""
    kms_host: Annotated[
        list[str],
        typer.Option(metavar="HOST[:PORT]", help="KMS host to check. Repeatable."),
    ] = field(default_factory=list)
    ntp: Annotated[
        list[str], typer.Option(metavar="HOST", help="Time server to check. Repeatable.")
    ] = field(default_factory=list)
    timeout: Annotated[
        float, typer.Option(min=0.1, max=60, metavar="SECONDS", help="Time limit for each check.")
    ] = 3.0
    output: TableOrJson = "text"
    lang: Lang = ""


CloudService = Literal["aws-ssm", "azure-run-command", "gcp", "alibaba"]


ScriptMode = Literal["probe", "standalone"]


@dataclass(frozen=True, kw_only=True)
class ScriptOptions:
    """Write a self-contained script to run on a server by hand.

    Prints its SHA-256 as sha256sum does. The same options give the same bytes.
    """

    provider: Annotated[
        str,
        typer.Option(
            help="Provider whose KMS hosts and time servers it uses; required without --for.",
            metavar="NAME",
            autocompletion=complete_provider,
        ),
    ] = ""
    to: Annotated[
        str, typer.Option("--to", metavar="FILE", help="Output file; default: the usual name.")
    ] = ""
    former: Former = ""
    kms_host: KmsHosts = field(default_factory=list)
    for_: Annotated[
        CloudService | None,
        typer.Option("--for", help="Write the form that this cloud's run-command accepts."),
    ] = None
    mode: Annotated[
        ScriptMode | None,
        typer.Option(
            help="standalone: activates and shows the result; probe: checks only, for "
            "read-answer. Default with --for: probe."
        ),
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False
    lang: Lang = ""


ReadMode = Literal["check", "plan"]


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """Report on servers from copied or downloaded answers.

    Finds the answer of a volact script --mode probe file in the text around it.
    """

    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="Files with the output of the script; - is stdin."),
    ] = field(default_factory=list)
    mode: Annotated[
        ReadMode,
        typer.Option(help="check: report problems; plan: also show what activate would do."),
    ] = "check"
    provider: Provider = ""
    kms_host: KmsHosts = field(default_factory=list)
    ignore: Ignore = field(default_factory=list)
    output: PlanOutput = "text"
    dialect: DialectOption = None
    report: Annotated[
        list[str],
        typer.Option(
            metavar="FORMAT=FILE",
            help="Write a report: html=, json=, jsonl=, csv= or text=FILE. Repeatable.",
        ),
    ] = field(default_factory=list)
    verbose: Verbose = False
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class ReplayOptions:
    """Judge a bundle again with today's rules; show differences.

    Contacts no server. Exit code 3 when a server is judged differently.
    """

    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Bundles of volact bundle.", show_default=False),
    ]
    update: Annotated[
        bool, typer.Option("--update", help="Write today's judgement into the files.")
    ] = False
    output: TableOrJson = "text"
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class ProvidersOptions:
    """List the known providers, or show one with its sources.

    volact providers check validates the profile files; exit code 1 when one has a mistake.
    """

    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            help="Provider, or a part of one (ovh/dedicated); or: check.",
            autocompletion=complete_provider,
        ),
    ] = ""
    output: TableOrJson = "text"
    lang: Lang = ""
