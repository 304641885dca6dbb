"""What goes over the bridge to a script besides plain values."""

from __future__ import annotations

import json
from typing import Any

_INT32 = 1 << 31
Answer = str | int | float | bool | None


class Json(str):
    """A structured answer, as JSON text."""

    __slots__ = ()

    @classmethod
    def of(cls, value: Any) -> Json:
        """The JSON text of a value."""
        return cls(json.dumps(value))


def tagged(answer: Answer) -> Answer:
    """An answer as the prelude reads it: text and JSON carry a letter in front."""
    if isinstance(answer, Json):
        return f"j{answer}"
    if isinstance(answer, str):
        return f"s{answer}"
    if isinstance(answer, int) and not -_INT32 <= answer < _INT32:
        return float(answer)  # the engine's bridge takes whole numbers of 32 bits only
    return answer
