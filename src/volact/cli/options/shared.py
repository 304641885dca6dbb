"""Options and completions that several verbs share, each defined once."""

from __future__ import annotations

import inspect
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from volact.cli.options.completion import (
    complete_finding,
    complete_provider,
    complete_server,
    complete_step,
)
from volact.cloud.base import AccountOption, Cloud
from volact.cloud.registry import clouds
from volact.core.console import Dialect

# How servers of a cloud's list may be reached; and those that are the clouds' own.
RUN_COMMANDS = tuple(cloud.scheme for cloud in clouds())
if TYPE_CHECKING:
    Via = str
else:
    Via = Literal[(*RUN_COMMANDS, "ssh", "winrm")]
LISTS = " or ".join(f"{c.name}:{c.listing.example}" for c in clouds() if c.listing)


DialectOption = Annotated[
    Dialect | None,
    typer.Option(
        help="Licensing commands with slmgr.vbs or PowerShell; default: what each server runs."
    ),
]


Provider = Annotated[
    str,
    typer.Option(
        help="Provider of the servers; default: determined from each server's facts.",
        metavar="NAME",
        autocompletion=complete_provider,
    ),
]


KmsHosts = Annotated[
    list[str],
    typer.Option(
        metavar="HOST[:PORT]",
        help="Your own KMS host, instead of the provider's. Repeatable; the first is preferred.",
    ),
]


Allow = Annotated[
    list[str],
    typer.Option(
        "--allow",
        metavar="STEP",
        help="Allow a repair that needs consent: remove-debugger, add-dns, add-route, "
        "rebuild-token-store, rearm or move-kms. Repeatable.",
        autocompletion=complete_step,
    ),
]


Ignore = Annotated[
    list[str],
    typer.Option(
        "--ignore",
        metavar="FINDING",
        help="Accept a finding on every server: FINDING [until YYYY-MM-DD][: REASON]. Repeatable.",
        autocompletion=complete_finding,
    ),
]


TableOrJson = Annotated[
    Literal["text", "json"], typer.Option("--output", "-o", help="Output format.")
]
OutputFormat = Annotated[
    Literal["text", "json", "jsonl", "csv"], typer.Option("--output", "-o", help="Output format.")
]
PlanOutput = Annotated[
    Literal["text", "json", "jsonl", "csv", "commands"],
    typer.Option(
        "--format",
        "--output",
        "-o",
        help="Output format; commands: lines to type in cmd.exe.",
    ),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Also list healthy servers and every step.")
]
ApplyYes = Annotated[bool, typer.Option("--yes", "-y", help="Apply changes without asking.")]
ReplaceKey = Annotated[
    bool,
    typer.Option("--replace-key", help="Replace a retail, MAK or OEM key with the KMS client key."),
]
DryDeletion = Annotated[bool, typer.Option("--dry-run", help="Show what would be deleted.")]


# -o names a format in every verb; these two took it for the file.
Former = Annotated[
    str, typer.Option("--output", "-o", metavar="FILE", hidden=True, help="Former name of --to.")
]


Pace = Annotated[
    str,
    typer.Option(
        metavar="N/s|N/m|N/h",
        help="Start at most N servers per second, minute or hour: N/s, N/m, N/h.",
    ),
]


RETRIES = 2


Retries = Annotated[
    int,
    typer.Option(min=0, max=20, metavar="N", help="Retries for transient errors."),
]

StoreUrl = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URL",
        help="Store: a file or postgresql://…; default: the user's own.",
    ),
]
NoStore = Annotated[bool, typer.Option("--no-store", help="Do not store this run.")]

ServiceUrl = Annotated[
    str,
    typer.Option(
        "--service",
        metavar="URL",
        help="Service that does this, over its inventory of -i. Token: VOLACT_TOKEN.",
    ),
]

LimitOption = Annotated[
    list[str],
    typer.Option(
        metavar="NAME",
        help="Only these servers: name or glob; !NAME: all but these. Repeatable.",
        autocompletion=complete_server,
    ),
]


class AccountOptions:
    """Makes an option of each setting of each cloud; ``volact.cli.registry`` asks for them."""

    def parameters(self) -> list[inspect.Parameter]:
        """The options as parameters, as Typer reads them."""
        return [
            inspect.Parameter(_name(cloud, option), inspect.Parameter.KEYWORD_ONLY, **_kind(option))
            for cloud in clouds()
            for option in cloud.options
        ]

    def take(self, given: MutableMapping[str, Any]) -> dict[str, str]:
        """Take the options out of what was given: those with a value, by their keys."""
        taken = {
            cloud.key(option): given.pop(_name(cloud, option), None)
            for cloud in clouds()
            for option in cloud.options
        }
        return {key: value for key, value in taken.items() if value}


# Metadata of the field; its value are the settings that were given, by their keys.
OF_ACCOUNTS = {"options": AccountOptions()}


def _name(cloud: Cloud, option: AccountOption) -> str:
    return cloud.key(option).replace("-", "_")


def _kind(option: AccountOption) -> dict[str, Any]:
    """Type and default of an option."""
    if option.choices:
        choice: Any = Literal.__getitem__(option.choices)
        annotation = Annotated[choice | None, typer.Option(help=option.help)]
        return {"annotation": annotation, "default": None}
    text = typer.Option(metavar=option.metavar, help=option.help)
    return {"annotation": Annotated[str, text], "default": ""}
