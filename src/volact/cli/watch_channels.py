"""Standard output and the channels of a watch, each with what it was told.

A channel that does not take its messages gets them with the next round; the others, which
have them, do not.  What is kept for the next start is in ``watch_state``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import msgspec

from volact.cli.failure import tell
from volact.cli.watch_state import ChannelState, WatchState, WatchStateFile
from volact.model.report import RunReport, ServerReport
from volact.model.text import Text
from volact.notify.channels import Channel, send_to_all
from volact.report.message import failure_message, message_of
from volact.report.run_counts import RunCounts
from volact.report.watch_changes import ChangeTracker, ServerStanding


class _WatchedChannel:
    """One channel, the servers as it was last told of them, and the message of this round."""

    def __init__(self, channel: Channel, tracker: ChangeTracker, state: ChannelState) -> None:
        self._channel = channel
        self.tracker = tracker
        self.state = state
        self.sent, self._stopped = False, ""

    def send(self, run: RunReport, counts: RunCounts) -> bool:
        """Send what changed; whether it arrived, or nothing had to be sent."""
        changes, self._stopped, self.sent = self.tracker.changes(), _stopped(run), True
        if changes or self.state.failing or self._stopped not in ("", self.state.stopped):
            message = message_of(run, counts.causes, counts.repaired, changes)
            self.sent = send_to_all([self._channel], message, tell)
        return self.sent

    def end(self, names: Iterable[str]) -> None:
        """End the round; what was not sent is a change in the next one, too."""
        if self.sent:
            told = self.tracker.next(names)
            self.state = ChannelState(stopped=self._stopped, before={**told})
        else:
            self.tracker.again()
        self.sent = False

    def failed(self, why: Text | str) -> None:
        """End a round in which no server could be checked; that is told once."""
        self.tracker.again()
        self.sent = False
        if not self.state.failing:
            sent = send_to_all([self._channel], failure_message(why), tell)
            self.state = msgspec.structs.replace(self.state, failing=sent)


class WatchedChannels:
    """Standard output, whose changes are in ``printed``, and all channels of a watch."""

    def __init__(
        self,
        channels: Sequence[Channel],
        *,
        within: timedelta,
        before: Mapping[str, ServerStanding],
        file: WatchStateFile | None,
    ) -> None:
        self._file = file
        self._kept = file.read() if file else WatchState()
        self.printed = ChangeTracker(within, {**before, **self._kept.printed})
        self._told = self._kept.printed
        self._sent = False
        self._channels: dict[str, _WatchedChannel] = {}
        for at, channel in enumerate(channels, 1):
            key = f"{at} {channel.name}"  # names are without secrets, so several may be equal
            state = self._kept.channels.get(key, ChannelState())
            tracker = ChangeTracker(within, state.over(before))
            self._channels[key] = _WatchedChannel(channel, tracker, state)

    @property
    def any(self) -> bool:
        """Whether there is one beside standard output."""
        return bool(self._channels)

    @property
    def failing(self) -> bool:
        """Whether a channel was told that the servers could not be checked."""
        return any(each.state.failing for each in self._channels.values())

    def add(self, server: ServerReport, at: str) -> None:
        """Take a server's row, made ``at``."""
        self.printed.add(server, at)
        for each in self._channels.values():
            each.tracker.add(server, at)

    def send(self, run: RunReport, counts: RunCounts) -> bool:
        """Send to each channel what changed for it; whether all took their message."""
        took = [each.send(run, counts) for each in self._channels.values()]
        self._sent = all(took)
        return self._sent

    def end(self, names: Sequence[str]) -> None:
        """End a round over the servers that are named; one that was not sent told nothing."""
        for each in self._channels.values():
            each.end(names)
        if self._sent:
            self._told = self.printed.next(names)
        else:
            self.printed.again()  # the next round shows it with what it sends
        self._sent = False
        self._keep()

    def failed(self, why: Text | str) -> None:
        """End a round in which no server could be checked."""
        self.printed.again()
        self._sent = False
        for each in self._channels.values():
            each.failed(why)
        self._keep()

    def _keep(self) -> None:
        states = {key: each.state for key, each in self._channels.items()}
        state = WatchState(printed=self._told, channels={**self._kept.channels, **states})
        if state != self._kept and self._file is not None:
            self._file.write(state)
        self._kept = state


def _stopped(run: RunReport) -> str:
    """Why a rollout stopped by its rules, ``""`` if it did not."""
    stopped = run.stopped
    return "" if stopped is None or stopped.why == "interrupted" else stopped.why
