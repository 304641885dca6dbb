"""When the next server may begin: so many in a time, and never at one stroke.  Pure.

Time is divided into slots of equal length; each slot begins one server, at a
moment in it that chance chooses.  A slot that passed unused is not made up for.
So a window as long as ``n`` slots never sees more than ``n + 1`` begin.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import msgspec

_WORD = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)/(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Rate(msgspec.Struct, frozen=True):
    """So many servers in so many seconds."""

    number: float
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Rate:
        """``5/s``, ``30/m`` or ``200/h``; ``ValueError`` for anything else."""
        match = _WORD.fullmatch(text.strip())
        if match is None or not float(match[1]):
            raise ValueError(f"{text!r} is not a pace like 5/s, 30/m or 200/h")
        return cls(float(match[1]), _SECONDS[match[2]])

    @property
    def slot_s(self) -> float:
        """The time in which one server begins."""
        return self.seconds / self.number


class Pace:
    """Hands out moments; ``chance`` gives numbers from 0 up to 1."""

    def __init__(self, rate: Rate, chance: Callable[[], float]) -> None:
        self._slot_s = rate.slot_s
        self._chance = chance
        self._next = -math.inf  # the first slot that is free

    def next(self, now: float) -> float:
        """The moment at which one more may begin, ``now`` or later."""
        slot = max(math.floor(now / self._slot_s), self._next)
        self._next = slot + 1
        begin, end = max(now, slot * self._slot_s), (slot + 1) * self._slot_s
        return min(begin + (end - begin) * self._chance(), end)

    def begun(self, now: float) -> None:
        """One has begun, it may be later than it was to: the slot it came into is used up."""
        self._next = max(self._next, math.floor(now / self._slot_s) + 1)
