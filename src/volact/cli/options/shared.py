"""Options and completions that several verbs share, each said once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from volact.cloud.registry import clouds
from volact.knowledge.load import provider_names

OutputFormat = Literal["text", "json", "jsonl", "csv"]
PlanFormat = Literal["text", "json", "jsonl", "csv", "commands"]
HostKeyPolicy = Literal["strict", "accept-new", "ignore"]
# How servers of a cloud's list may be reached; and those that are the clouds' own.
RUN_COMMANDS = tuple(cloud.scheme for cloud in clouds())
if TYPE_CHECKING:
    Via = str
else:
    Via = Literal[(*RUN_COMMANDS, "ssh", "winrm")]
LISTS = " or ".join(f"{c.name}:{c.listing.example}" for c in clouds() if c.listing)


def complete_provider(incomplete: str) -> list[str]:
    """Shell completion for provider names."""
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
    """Shell completion for the steps that need consent."""
    from volact.core.consent import ASKING_STEPS  # noqa: PLC0415 - all steps, for completion alone

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

StoreUrl = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URL",
        help="What volact remembers: a file or postgresql://…, instead of your own store.",
    ),
]
NoStore = Annotated[bool, typer.Option("--no-store", help="Keep nothing of this run.")]

Limit = Annotated[
    list[str],
    typer.Option(metavar="NAME", help="Only these servers: names or globs. Repeatable."),
]
