"""The options of a rollout: who goes first, how fast, when it stops, where it goes on.

What they mean is ``volact.fleet``'s; bad words are found here, before anything
is started.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from volact.cli.options import RETRIES, FleetOptions, ServerOptions

if TYPE_CHECKING:
    from volact.fleet import Canary, Control

T = TypeVar("T")

# What one run does at a KMS host without being told: as much as it does at all
# unless --concurrency is raised.
KMS_CONCURRENCY = 50


@dataclass(frozen=True, kw_only=True)
class CautionOptions(FleetOptions):
    """How carefully servers are changed one after another."""

    canary: Annotated[
        str,
        typer.Option(
            metavar="N|%[:FAILURES]",
            help="So many first; stop if more than FAILURES (0) of them fail.",
        ),
    ] = ""
    max_failures: Annotated[
        str,
        typer.Option(metavar="N|%", help="Begin no more servers once more than so many failed."),
    ] = ""
    kms_concurrency: Annotated[
        int,
        typer.Option(
            min=1, max=2000, metavar="N", help="How many activations at a time at each KMS host."
        ),
    ] = KMS_CONCURRENCY


@dataclass(frozen=True, kw_only=True)
class RolloutOptions(CautionOptions):
    """And where it goes on."""

    resume: Annotated[
        str,
        typer.Option(
            metavar="RUN", help="Leave out what that run verified less than an hour ago; or: last."
        ),
    ] = ""


def control_of(options: ServerOptions) -> Control:
    """How the run is conducted; ``InputError`` for a word that means nothing."""
    from volact.fleet import Control, Rate, Share

    rollout = options if isinstance(options, CautionOptions) else None
    return Control(
        concurrency=options.concurrency,
        pace=_read("--pace", options.pace, Rate.parse),
        canary=_read("--canary", rollout.canary, _canary) if rollout else None,
        max_failures=_read("--max-failures", rollout.max_failures, Share.parse)
        if rollout
        else None,
        kms_concurrency=rollout.kms_concurrency if rollout else KMS_CONCURRENCY,
    )


def _read(option: str, word: str, parse: Callable[[str], T]) -> T | None:
    from volact.errors import InputError
    from volact.model.text import say

    if not word:
        return None
    try:
        return parse(word)
    except ValueError as error:
        raise InputError(say("{option}: {error}", option=option, error=error)) from error


def _canary(word: str) -> Canary:
    from volact.fleet import Canary, Share

    share, colon, failures = word.partition(":")
    if colon and not failures.isdecimal():
        raise ValueError(f"{failures!r} is not a number of canaries that may fail")
    first = Share.parse(share)
    if first.number <= 0:
        raise ValueError("at least one server has to go first")
    may_fail = int(failures or 0)
    if may_fail and not first.percent and may_fail >= first.number:
        raise ValueError(
            f"if {may_fail} of {first.number:g} canaries may fail, none proves a thing"
        )
    return Canary(first, may_fail)


def rollout_words(options: ServerOptions) -> str:
    """The options that a rollout which goes on needs again."""
    named = [("--pace", options.pace), ("--retries", _unless(options.retries, RETRIES))]
    if isinstance(options, RolloutOptions):
        named += [
            ("--canary", options.canary),
            ("--max-failures", options.max_failures),
            ("--kms-concurrency", _unless(options.kms_concurrency, KMS_CONCURRENCY)),
        ]
    return " ".join(f"{name} {shlex.quote(value)}" for name, value in named if value)


def _unless(number: int, default: int) -> str:
    return "" if number == default else str(number)
