"""What a watch has told of each server, in a file beside its lock, for the next one.

A watch by systemd or cron is one run.  The store cannot say what it has told: a check by hand,
or a watch that was killed before its message, stores what was told to no one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from volact.cli.failure import tell
from volact.model.text import say
from volact.report.watch_changes import ServerStanding


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """What one channel was told.

    Attributes:
        failing: it was told that the servers could not be checked.
        stopped: the reason that was told of a rollout which stopped.
        before: how each server stood when the channel was last told; ``None``, as earlier
            versions wrote: it was not known.
    """

    failing: bool = False
    stopped: str = ""
    before: dict[str, ServerStanding | None] = {}

    def over(self, known: Mapping[str, ServerStanding]) -> dict[str, ServerStanding]:
        """How each server stood when the channel was last told, ``known`` where it never was."""
        merged = {**known, **self.before}
        return {name: standing for name, standing in merged.items() if standing is not None}


class WatchState(msgspec.Struct, frozen=True, kw_only=True):
    """What the next run is compared with.

    Attributes:
        printed: how each server stood when standard output last told it.
        channels: what each channel was told, by its place and name; also those that are not
            among the channels of this run.
    """

    printed: dict[str, ServerStanding] = {}
    channels: dict[str, ChannelState] = {}


class WatchStateFile:
    """A state in a file, which is there only while there is something in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._older = path.with_suffix(".untold")  # the name in earlier versions

    def read(self) -> WatchState:
        """The state; nothing where the file is damaged or cannot be read."""
        for path in (self._path, self._older):
            with suppress(OSError, msgspec.MsgspecError):
                return msgspec.json.decode(path.read_bytes(), type=WatchState)
        return WatchState()

    def write(self, state: WatchState) -> None:
        """Replace the state; a line on standard error where that fails."""
        part = self._path.with_suffix(".part")
        try:
            if state == WatchState():
                self._path.unlink(missing_ok=True)
                return
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as to:
                to.write(msgspec.json.encode(state))
            part.replace(self._path)
            self._older.unlink(missing_ok=True)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            why = error.strerror or type(error).__name__
            tell(say("{path}: {why}", path=self._path, why=why))
