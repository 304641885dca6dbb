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
from volact.cli.options.parameter import flag, option, repeatable
from volact.cloud.base import AccountOption, Cloud
from volact.cloud.registry import clouds
from volact.core.consent import ASKING_STEPS
from volact.core.console import Dialect

# How servers of a cloud's list may be reached; and those that are the clouds' own.
RUN_COMMANDS = tuple(cloud.scheme for cloud in clouds())
if TYPE_CHECKING:
    Via = str
else:
    Via = Literal[(*RUN_COMMANDS, "ssh", "winrm")]
LISTS = " or ".join(f"{c.name}:{c.listing.example}" for c in clouds() if c.listing)


TableOrJson = Literal["text", "json"]
OutputFormat = Literal["text", "json", "jsonl", "csv"]
PlanOutput = Literal["text", "json", "jsonl", "csv", "commands"]


def dialect() -> Dialect | None:
    """The form of licensing commands."""
    return option(
        None, "Licensing commands with slmgr.vbs or PowerShell; default: what each server runs."
    )


def provider(
    told: str = "Provider of the servers; default: determined from each server's facts.",
) -> str:
    """Whose servers they are."""
    return option("", told, "NAME", autocompletion=complete_provider)


def kms_host() -> list[str]:
    """The operator's own KMS hosts."""
    told = "Your own KMS host, instead of the provider's. Repeatable; the first is preferred."
    return repeatable(told, "HOST[:PORT]")


def allow() -> list[str]:
    """Consents."""
    steps = f"{', '.join(ASKING_STEPS[:-1])} or {ASKING_STEPS[-1]}"
    told = f"Allow a repair that needs consent: {steps}. Repeatable."
    return repeatable(told, "STEP", "--allow", autocompletion=complete_step)


def ignore() -> list[str]:
    """Accepted findings."""
    told = "Accept a finding on every server: FINDING [until YYYY-MM-DD][: REASON]. Repeatable."
    return repeatable(told, "FINDING", "--ignore", autocompletion=complete_finding)


def output() -> Any:
    """The format of standard output."""
    return option("text", "Output format.", None, "--output", "-o")


def plan_output() -> PlanOutput:
    """The format of plans."""
    told = "Output format; commands: lines to type in cmd.exe."
    return option("text", told, None, "--format", "--output", "-o")


def report() -> list[str]:
    """Which reports are written, and where."""
    return repeatable(
        "Write a report: html=, json=, jsonl=, csv=, junit=, prometheus= or "
        "text=FILE; separate several with commas. Repeatable.",
        "FORMAT=FILE",
    )


def verbose() -> bool:
    """How much is listed."""
    return flag("--verbose", "Also list healthy servers and every step.", "-v")


def yes() -> bool:
    """Whether changes are asked about."""
    return flag("--yes", "Apply changes without asking.", "-y")


def replace_key() -> bool:
    """Consent to another key."""
    return flag("--replace-key", "Replace a retail, MAK or OEM key with the KMS client key.")


def dry_deletion() -> bool:
    """Whether anything is deleted."""
    return flag("--dry-run", "Show what would be deleted.")


def former() -> str:
    """-o names a format in every verb; two took it for the file."""
    return option("", "Former name of --to.", "FILE", "--output", "-o", hidden=True)


def store() -> str:
    """Which store."""
    return option("", "Store: a file or postgresql://…; default: the user's own.", "URL", "--store")


def service() -> str:
    """Which service does it instead."""
    told = "Service that does this, over its inventory of -i. Token: VOLACT_TOKEN."
    return option("", told, "URL", "--service")


def store_service() -> str:
    """Which service tells it instead of the store."""
    told = "Service that is asked instead of the store. Token: VOLACT_TOKEN."
    return option("", told, "URL", "--service")


def limit() -> list[str]:
    """Which servers of the store."""
    return repeatable(
        "Only these servers: name or glob; !NAME: all but these. Repeatable.",
        "NAME",
        autocompletion=complete_server,
    )


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
