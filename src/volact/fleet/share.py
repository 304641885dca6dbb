"""A number of servers, or a part of them: ``5``, ``10%``.  Pure."""

from __future__ import annotations

import math
import re

import msgspec

_WORD = re.compile(r"(\d{1,9})(?:\.(\d{1,3}))?(%?)")


class Share(msgspec.Struct, frozen=True):
    """So many, or so many in a hundred."""

    number: float
    percent: bool = False

    @classmethod
    def parse(cls, text: str) -> Share:
        """``ValueError`` for what is neither a count nor a percentage."""
        match = _WORD.fullmatch(text.strip())
        if match is None or (match[2] and not match[3]):
            raise ValueError(f"{text!r} is neither a number of servers nor a percentage")
        number = float(f"{match[1]}.{match[2] or 0}")
        if match[3] and number > 100:
            raise ValueError(f"{text!r} is more than all servers")
        return cls(number, bool(match[3]))

    def at_least_one(self, total: int) -> int:
        """So many of ``total``, rounded up: a part of a few is still somebody."""
        return min(total, max(1, math.ceil(self._of(total))))

    def at_most(self, total: int) -> int:
        """So many of ``total``, rounded down: what is allowed is never more than was said."""
        return math.floor(self._of(total))

    def _of(self, total: int) -> float:
        # Exact for what people type: 10 % of 30 is 3 and no more.
        return round(total * self.number / 100, 6) if self.percent else self.number
