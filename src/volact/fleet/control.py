"""The operator's settings of a run over a fleet, as values."""

from __future__ import annotations

import asyncio
import math
import random
import re
from collections.abc import Callable

import msgspec

from volact.fleet.events import OnEvent
from volact.fleet.rate_limiter import Rate
from volact.model.text import say
from volact.pipeline import ActivationSlot

_SHARE = re.compile(r"(\d{1,9})(?:\.(\d{1,3}))?(%?)")


class Share(msgspec.Struct, frozen=True):
    """A number of servers, or a percentage of them: ``5``, ``10%``."""

    number: float
    percent: bool = False

    @classmethod
    def parse(cls, text: str) -> Share:
        """Read a share; ``ValueError`` for what is neither a count nor a percentage."""
        match = _SHARE.fullmatch(text.strip())
        if match is None or (match[2] and not match[3]):
            raise ValueError(
                say("{text} is neither a number of servers nor a percentage", text=repr(text))
            )
        number = float(f"{match[1]}.{match[2] or 0}")
        if match[3] and number > 100:
            raise ValueError(say("{text} is more than all servers", text=repr(text)))
        return cls(number, bool(match[3]))

    def at_least_one(self, total: int) -> int:
        """The share of ``total``, rounded up and never 0: how many canaries there are."""
        return min(total, max(1, math.ceil(self._of(total))))

    def at_most(self, total: int) -> int:
        """The share of ``total``, rounded down: how many failures are allowed."""
        return math.floor(self._of(total))

    def _of(self, total: int) -> float:
        # Exact for what people type: 10 % of 30 is 3 and no more.
        return round(total * self.number / 100, 6) if self.percent else self.number


class Canary(msgspec.Struct, frozen=True):
    """How many servers go first, and how many of them may fail."""

    share: Share
    may_fail: int = 0

    @classmethod
    def parse(cls, text: str) -> Canary:
        """Read ``5``, ``10%`` or ``10%:2``; ``ValueError`` for anything else."""
        share, colon, failures = text.partition(":")
        if colon and not failures.isdecimal():
            raise ValueError(
                say("{text} is not a number of canaries that may fail", text=repr(failures))
            )
        first = Share.parse(share)
        if first.number <= 0:
            raise ValueError(say("give at least one server"))
        may_fail = int(failures or 0)
        if may_fail and not first.percent and may_fail >= first.number:
            raise ValueError(
                say(
                    "if {failures} of {number} canaries may fail, they prove nothing",
                    failures=may_fail,
                    number=f"{first.number:g}",
                )
            )
        return cls(first, may_fail)


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """Concurrency, rate, time limit and stop rules of a run, and its listeners.

    ``run_s`` bounds the whole run; ``deadline_s`` of the job bounds one server.
    Setting ``drain`` begins no more servers and finishes those under way.  Setting
    ``stop`` cancels those under way, too.  The servers concerned get rows that say so.
    With ``adaptive`` the number of servers at a time follows the load of this machine, and
    ``concurrency`` is its ceiling.
    ``processes`` is the number of processes that hold the connections to servers; ``None``: by
    the size of the fleet, 1: this one.
    ``rng`` gives numbers from 0 up to 1; it spreads the starts within a ``pace``.
    ``slot`` gives activation slots instead of ``kms_concurrency``, for a bound that is
    shared with other processes.
    """

    concurrency: int = 50
    adaptive: bool = False
    processes: int | None = None
    run_s: float | None = None
    on_event: OnEvent = lambda event: None
    stop: asyncio.Event | None = None
    drain: asyncio.Event | None = None
    canary: Canary | None = None
    max_failures: Share | None = None
    pace: Rate | None = None
    kms_concurrency: int | None = 50  # as on the command line
    slot: ActivationSlot | None = None
    rng: Callable[[], float] = random.random

    def without_rollout(self) -> Control:
        """The same without canaries and failure limit, for runs that change nothing."""
        return msgspec.structs.replace(self, canary=None, max_failures=None)
