"""Options that clouds declare for their accounts, as one field of a class of options."""

from __future__ import annotations

import inspect
from collections.abc import MutableMapping
from typing import Annotated, Any, Literal

import typer

from volact.cloud.base import AccountOption, Cloud
from volact.cloud.registry import clouds


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
