"""Counting an undo: its exit code is not that of the verdicts.

A server that is as it was before a run may well need attention: that is what the
person asked for.
"""

from __future__ import annotations

from collections import Counter

import msgspec

from volact.model.report import ServerReport
from volact.model.undo import UndoRow
from volact.report.tally import ALL_WELL, ATTENTION, UNEXAMINED, Tally

_WELL = ("undone", "nothing")


def undo_of(server: ServerReport) -> UndoRow | None:
    """What became of the undo; ``None`` where the server was not examined."""
    if server.error is not None or isinstance(server.undo, msgspec.UnsetType):
        return None
    return server.undo


class UndoTally(Tally):
    """The counts of an undo."""

    def __init__(self) -> None:
        self.words: Counter[str] = Counter()
        super().__init__()

    def add(self, server: ServerReport) -> None:
        """Count one server."""
        super().add(server)
        row = undo_of(server)
        self.words[row.word if row else "unreachable"] += 1

    def exit_code(self) -> int:
        """0: all that could be undone is; 3: something could not; 4: somebody was not reached."""
        if self.words["unreachable"]:
            return UNEXAMINED
        return ATTENTION if self.words.total() > sum(self.words[w] for w in _WELL) else ALL_WELL
