"""When the next server may begin: at most N in a time, spread within it.  Pure.

Kept instead of a library: those wait by themselves and know one clock, while this rule
takes the time as an argument, spreads starts at random, and ends the wait on a stop.

Time is divided into slots of equal length.  One server begins in each slot, at a random
moment of it.  An unused slot is not made up for.  So a window of ``n`` slots never sees
more than ``n + 1`` starts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import msgspec

from volact.model.text import say

_RATE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)/(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Rate(msgspec.Struct, frozen=True):
    """A number of servers in a number of seconds."""

    number: float
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read ``5/s``, ``30/m`` or ``200/h``; ``ValueError`` for anything else."""
        match = _RATE.fullmatch(text.strip())
        if match is None or not float(match[1]):
            raise ValueError(say("{text} is not a pace like 5/s, 30/m or 200/h", text=repr(text)))
        return cls(float(match[1]), _SECONDS[match[2]])

    @property
    def slot_s(self) -> float:
        """The length of the slot in which one server begins."""
        return self.seconds / self.number


class RateLimiter:
    """Assigns start times; ``rng`` gives numbers from 0 up to 1.

    ``free`` is the first free slot: it can be kept and given to the next limiter.
    """

    def __init__(self, rate: Rate, rng: Callable[[], float], free: int | float = -math.inf) -> None:
        self._slot_s = rate.slot_s
        self._rng = rng
        self.free = free

    def next(self, now: float) -> float:
        """Take a slot; the moment at which its server may begin, ``now`` or later."""
        slot = max(math.floor(now / self._slot_s), self.free)
        self.free = slot + 1
        begin, end = max(now, slot * self._slot_s), (slot + 1) * self._slot_s
        return min(begin + (end - begin) * self._rng(), end)

    def begun(self, now: float) -> None:
        """Record a start that came late: the slot it fell into is used up."""
        self.free = max(self.free, math.floor(now / self._slot_s) + 1)
