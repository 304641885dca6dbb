"""The bounds of a run's numbers: what is asked is refused, what is stored is held to them."""

from __future__ import annotations

import msgspec

from volact.client.wire import RunSpec
from volact.errors import InputError
from volact.model.bounds import RUN_BOUNDS
from volact.model.text import raw, say


def check_bounds(spec: RunSpec) -> None:
    """``InputError`` for a number that the command line would refuse."""
    for name, bounds in RUN_BOUNDS.items():
        number = getattr(spec, name)
        if not bounds.least <= number <= bounds.most:
            raise InputError(
                say(
                    "{option} {n}: not from {least} to {most}",
                    option=raw(name), n=_short(number), least=bounds.least, most=bounds.most,
                )
            )  # fmt: skip


def _short(number: float) -> str:
    """An integer may have more digits than a number of the format ``g`` can have."""
    return f"{number:g}" if isinstance(number, float) else f"{number}"[:20]


def within_bounds(spec: RunSpec) -> RunSpec:
    """What is run: a run or a schedule may have been stored before there were bounds."""
    held = {
        name: min(max(getattr(spec, name), bounds.least), bounds.most)
        for name, bounds in RUN_BOUNDS.items()
    }
    return msgspec.structs.replace(spec, **held)
