"""Rollout options as values: canaries, rate, failure limit, concurrency per KMS host.

Their meaning is ``volact.fleet``'s.  Input errors are found here, before a server is
contacted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from volact.cli.options.changes import KMS_CONCURRENCY, CautionOptions
from volact.cli.options.servers import ConnectOptions, ServerOptions
from volact.cli.options.shared import RETRIES
from volact.errors import InputError
from volact.fleet import Canary, Control, Rate, Share
from volact.fleet.machine_limits import most_at_a_time
from volact.typed import quoted

T = TypeVar("T")


def control_of(options: ConnectOptions) -> Control:
    """The settings of the run; ``InputError`` for a value that cannot be read."""
    rollout = options if isinstance(options, CautionOptions) else None
    return Control(
        concurrency=options.concurrency or most_at_a_time(),
        adaptive=True,
        processes=options.processes,
        pace=_read("--pace", options.pace, Rate.parse),
        canary=_read("--canary", rollout.canary, Canary.parse) if rollout else None,
        max_failures=_read("--max-failures", rollout.max_failures, Share.parse)
        if rollout
        else None,
        kms_concurrency=rollout.kms_concurrency if rollout else KMS_CONCURRENCY,
    )


def _read(option: str, word: str, parse: Callable[[str], T]) -> T | None:
    if not word:
        return None
    try:
        return parse(word)
    except ValueError as error:
        raise InputError(error.args[0], where=option) from error


def rollout_words(options: ServerOptions) -> str:
    """The options that a continued rollout needs again."""
    named = [("--pace", options.pace), ("--retries", _unless(options.retries, RETRIES))]
    if isinstance(options, CautionOptions):
        named += [
            ("--canary", options.canary),
            ("--max-failures", options.max_failures),
            ("--kms-concurrency", _unless(options.kms_concurrency, KMS_CONCURRENCY)),
        ]
    return " ".join(f"{name} {quoted(value)}" for name, value in named if value)


def _unless(number: int, default: int) -> str:
    return "" if number == default else str(number)
