"""What a watch has not told yet, in a file beside its lock: the next one tells it.

A watch by systemd or cron is one run; what it found is in the store by then, so that without
this file a change whose message was not sent would be none to the next run.
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
    """What one channel was told, beside the last known state of each server.

    Attributes:
        failing: it was told that the servers could not be checked.
        stopped: the reason that was told of a rollout which stopped.
        before: how servers stood whose change was not sent; ``None``: they were not known.
    """

    failing: bool = False
    stopped: str = ""
    before: dict[str, ServerStanding | None] = {}

    def over(self, known: Mapping[str, ServerStanding]) -> dict[str, ServerStanding]:
        """How each server stood when it was last told of."""
        merged = {**known, **self.before}
        return {name: standing for name, standing in merged.items() if standing is not None}


class WatchState(msgspec.Struct, frozen=True, kw_only=True):
    """What the next run is compared with, for each channel by its place and name."""

    channels: dict[str, ChannelState] = {}


class WatchStateFile:
    """A state in a file, which is there only while there is something in it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> WatchState:
        """The state; nothing where the file is damaged or cannot be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=WatchState)
        except (OSError, msgspec.MsgspecError):
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
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            why = error.strerror or type(error).__name__
            tell(say("{path}: {why}", path=self._path, why=why))
