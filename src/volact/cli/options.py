"""The options that verbs share, each said once.

A verb names an option class; ``takes`` makes its fields the verb's
parameters.  No option is read here and nothing heavy is imported.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeVar, get_type_hints

import typer

from volact.cli.language import Lang
from volact.cli.store_options import NoStore, StoreUrl

T = TypeVar("T")

OutputFormat = Literal["text", "json", "jsonl", "csv"]
PlanFormat = Literal["text", "json", "jsonl", "csv", "commands"]
HostKeyPolicy = Literal["strict", "accept-new", "ignore"]
Via = Literal["tat", "ssh", "winrm"]
Site = Literal["domestic", "international"]


def complete_provider(incomplete: str) -> list[str]:
    """Shell completion for provider names."""
    from volact.knowledge.load import provider_names

    return [name for name in provider_names() if name.startswith(incomplete)]


Provider = Annotated[
    str,
    typer.Option(
        help="The cloud the servers are in; without it each server's own facts tell.",
        metavar="NAME",
        autocompletion=complete_provider,
    ),
]
KmsHosts = Annotated[
    list[str],
    typer.Option(
        metavar="HOST[:PORT]",
        help="Your own KMS host, instead of the cloud's. Repeatable; the first is preferred.",
    ),
]


def complete_step(incomplete: str) -> list[str]:
    """Shell completion for the steps that wait for the person's word."""
    from volact.core.consent import ASKING_STEPS

    return [step for step in ASKING_STEPS if step.startswith(incomplete)]


Allow = Annotated[
    list[str],
    typer.Option(
        "--allow",
        metavar="STEP",
        help="Allow a repair that cannot simply be undone: remove-debugger, add-dns, add-route,"
        " rebuild-token-store, rearm or move-kms. Repeatable.",
        autocompletion=complete_step,
    ),
]
TableOrJson = Annotated[
    Literal["text", "json"], typer.Option(help="What is written to standard output.")
]


Pace = Annotated[
    str,
    typer.Option(metavar="N/s|N/m|N/h", help="Begin no more servers than so many in a time."),
]
RETRIES = 2
Retries = Annotated[
    int,
    typer.Option(min=0, max=20, metavar="N", help="How often to try again what passes by itself."),
]


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
            help="Servers as the cloud's own API lists them: tencent:ap-jakarta.",
        ),
    ] = ""
    via: Annotated[
        Via | None, typer.Option(help="How servers of --from are reached; tat unless told.")
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
    tencent_site: Annotated[
        Site | None, typer.Option(help="Which of Tencent Cloud's sites the account is of.")
    ] = None
    tencent_profile: Annotated[
        str, typer.Option(metavar="NAME", help="A section of the file of Tencent Cloud keys.")
    ] = ""
    tencent_credentials: Annotated[
        str, typer.Option(metavar="FILE", help="The file of Tencent Cloud keys.")
    ] = ""
    tencent_endpoint: Annotated[
        str, typer.Option(metavar="URL", help="Tencent Cloud's API, instead of the site's own.")
    ] = ""
    lang: Lang = ""


@dataclass(frozen=True, kw_only=True)
class ServerOptions(SourceOptions):
    """What every verb that asks servers takes, but for its output formats."""

    provider: Provider = ""
    kms_host: KmsHosts = field(default_factory=list)
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
    """The options of ``check`` and ``activate``."""

    output: Annotated[
        OutputFormat, typer.Option("--output", "-o", help="What is written to standard output.")
    ] = "text"


def takes(options: type[T]) -> Callable[[Callable[[T], int]], Callable[..., int]]:
    """Make a class's fields the parameters of a verb that takes its instance."""
    hints = get_type_hints(options, include_extras=True)
    parameters = [
        inspect.Parameter(
            item.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(item),
            annotation=hints[item.name],
        )
        for item in dataclasses.fields(options)  # type: ignore[arg-type]
    ]

    def wrap(body: Callable[[T], int]) -> Callable[..., int]:
        @functools.wraps(body)
        def command(**given: object) -> int:
            return body(options(**given))

        command.__annotations__ = {item.name: hints[item.name] for item in parameters}
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return command

    return wrap


def _default(item: dataclasses.Field[object]) -> object:
    if item.default is not dataclasses.MISSING:
        return item.default
    if item.default_factory is not dataclasses.MISSING:
        return item.default_factory()
    return inspect.Parameter.empty
