"""Options of the verbs that ask no server of the fleet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

import typer

from volact.cli.options.language import Lang
from volact.cli.options.shared import KmsHosts, PlanFormat, Provider, TableOrJson, complete_provider


@dataclass(frozen=True, kw_only=True)
class EndpointOptions:
    """Look at KMS, time and DNS servers from here.

    Shows name resolution, connection, DCE/RPC bind and latency of each KMS host, and offset and
    delay of each time server. Nothing is activated. Exit code 3 when one is not as it should be.
    """

    provider: Provider = ""
    kms_host: Annotated[
        list[str],
        typer.Option(metavar="HOST[:PORT]", help="A KMS host to look at. Repeatable."),
    ] = field(default_factory=list)
    ntp: Annotated[
        list[str], typer.Option(metavar="HOST", help="A time server to look at. Repeatable.")
    ] = field(default_factory=list)
    timeout: Annotated[
        float, typer.Option(min=0.1, max=60, metavar="SECONDS", help="For each question.")
    ] = 3.0
    output: TableOrJson = "text"
    lang: Lang = ""


Service = Literal["aws-ssm", "azure-run-command", "gcp", "alibaba"]


ScriptMode = Literal["probe", "standalone"]


@dataclass(frozen=True, kw_only=True)
class ScriptOptions:
    """Write a self-contained file to run on a server by hand.

    Prints its SHA-256 as sha256sum does. The same options give the same bytes.
    """

    provider: Annotated[
        str,
        typer.Option(
            help="The cloud whose KMS hosts and time servers it uses; needed unless --for says it.",
            metavar="NAME",
            autocompletion=complete_provider,
        ),
    ] = ""
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to write it; without it the usual name."
        ),
    ] = ""
    kms_host: KmsHosts = field(default_factory=list)
    for_: Annotated[
        Service | None,
        typer.Option("--for", help="Write what this cloud's run-command takes."),
    ] = None
    mode: Annotated[
        ScriptMode | None,
        typer.Option(
            help="standalone: activates and talks to a person; probe: looks, for read-answer. "
            "With --for it is probe unless told."
        ),
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False
    lang: Lang = ""


ReadMode = Literal["check", "plan"]


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """Report on servers whose answers were copied or downloaded.

    Reads what volact script --mode probe printed there, out of any text around it.
    """

    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="Outputs, as copied or downloaded; - is stdin."),
    ] = field(default_factory=list)
    mode: Annotated[
        ReadMode, typer.Option(help="check: what is wrong; plan: what activate would do, too.")
    ] = "check"
    provider: Provider = ""
    kms_host: KmsHosts = field(default_factory=list)
    output: Annotated[
        PlanFormat,
        typer.Option(
            "--format",
            "--output",
            "-o",
            help="What is written to standard output; commands: as typed in cmd.exe.",
        ),
    ] = "text"
    report: Annotated[
        list[str],
        typer.Option(
            metavar="FORMAT=FILE",
            help="Also write html=, json=, jsonl=, csv= or text= to a file. Repeatable.",
        ),
    ] = field(default_factory=list)
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List healthy servers and every step too.")
    ] = False
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class ReplayOptions:
    """Judge a bundle again with today's rules, and show what changed.

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
    """List the known clouds, or show one with its sources.

    volact providers check looks for mistakes in the files behind them; exit code 1 when there
    are any.
    """

    name: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            help="One cloud, or a part of it (ovh/dedicated), with sources. Or: check.",
            autocompletion=complete_provider,
        ),
    ] = ""
    output: TableOrJson = "text"
    lang: Lang = ""
