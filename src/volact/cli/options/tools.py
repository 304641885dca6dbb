"""Options of the verbs that ask no server of the fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from volact.cli.options import shared
from volact.cli.options.completion import complete_provider
from volact.cli.options.language import Lang
from volact.cli.options.parameter import argument, arguments, flag, option, repeatable
from volact.core.console import Dialect


@dataclass(frozen=True, kw_only=True)
class EndpointsOptions:
    """Check KMS hosts, time servers and DNS from this machine.

    Shows name resolution, connection, DCE/RPC bind and latency of each KMS host, and offset and
    delay of each time server. Nothing is activated. Exit code 3 when a check fails.
    """

    provider: str = shared.provider("Check everything in this provider's profile.")
    kms_host: list[str] = repeatable("KMS host to check. Repeatable.", "HOST[:PORT]")
    ntp: list[str] = repeatable("Time server to check. Repeatable.", "HOST")
    timeout: float = option(3.0, "Time limit for each check.", "SECONDS", min=0.1, max=60)
    output: shared.TableOrJson = shared.output()
    lang: Lang = ""


CloudService = Literal["aws-ssm", "azure-run-command", "gcp", "alibaba"]


ScriptMode = Literal["probe", "standalone"]


@dataclass(frozen=True, kw_only=True)
class ScriptOptions:
    """Write a self-contained script to run on a server by hand.

    Prints its SHA-256 as sha256sum does. The same options give the same bytes.
    """

    provider: str = shared.provider(
        "Provider whose KMS hosts and time servers it uses; required without --for."
    )
    to: str = option("", "Output file; default: the usual name.", "FILE", "--to")
    former: str = shared.former()
    kms_host: list[str] = shared.kms_host()
    for_: CloudService | None = option(
        None, "Write the form that this cloud's run-command accepts.", None, "--for"
    )
    mode: ScriptMode | None = option(
        None,
        "standalone: activates and shows the result; probe: checks only, for "
        "read-answer. Default with --for: probe.",
    )
    force: bool = flag("--force", "Overwrite an existing file.")
    lang: Lang = ""


ReadMode = Literal["check", "plan"]


@dataclass(frozen=True, kw_only=True)
class ReadAnswerOptions:
    """Report on servers from copied or downloaded answers.

    Finds the answer of a volact script --mode probe file in the text around it.
    """

    files: list[str] = arguments("Files with the output of the script; - is stdin.", "FILE")
    mode: ReadMode = option(
        "check", "check: report problems; plan: also show what activate would do."
    )
    provider: str = shared.provider()
    kms_host: list[str] = shared.kms_host()
    ignore: list[str] = shared.ignore()
    output: shared.PlanOutput = shared.plan_output()
    dialect: Dialect | None = shared.dialect()
    report: list[str] = shared.report()
    verbose: bool = shared.verbose()
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
    update: bool = flag("--update", "Write today's judgement into the files.")
    output: shared.TableOrJson = shared.output()
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class ProvidersOptions:
    """List the known providers, or show one with its sources.

    volact providers check validates the profile files; exit code 1 when one has a mistake.
    """

    name: str | None = argument(
        None,
        "Provider, or a part of one (ovh/dedicated); or: check.",
        "[NAME]",
        autocompletion=complete_provider,
    )
    output: shared.TableOrJson = shared.output()
    lang: Lang = ""
