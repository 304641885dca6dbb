"""How many servers a run works on at a time, by what volact's own machine and network bear.

A check is seconds of waiting and milliseconds of CPU, so a fixed number is too low for a
slow line and too high for a small machine.  The rule is pure: it gets samples and gives a
number.  ``load_sampler`` takes the samples.
"""

from __future__ import annotations

import msgspec

EVERY_S = 0.25  # between two samples
START = 50  # and never fewer: a machine that is busy with other things still waits for free
_GROWTH, _SHRINK = 1.5, 0.7
# How late the event loop runs its timers: below the first it has CPU to spare, above the
# second answers wait for volact and not for servers.
_IDLE_S, _LATE_S = 0.05, 0.5
_JUDGED, _MANY = 50, 0.25  # connections, and the share of failed ones that is too many


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen since the sample before.

    Attributes:
        late_s: how late the event loop ran a timer, in seconds.
        busy: servers at work.
        finished: servers that finished.
        unconnected: those of them that no connection was made to.
    """

    late_s: float
    busy: int
    finished: int = 0
    unconnected: int = 0


class AdaptiveConcurrency:
    """A number of servers at a time, at most ``ceiling``.

    It begins with 50, grows while the event loop is idle and every place is taken, shrinks
    while the loop runs late, and is halved where more than a quarter of the connections
    fail.  Where fewer places then fail just as often, the servers are the cause: failures
    count no more in this run.
    """

    def __init__(self, ceiling: int) -> None:
        self._ceiling = ceiling
        self.limit = min(ceiling, START)
        self._finished = self._unconnected = 0
        self._suspected: float | None = None  # the share that failed before halving
        self._servers_fail = False

    def observe(self, sample: Sample) -> int:
        """The number from now on."""
        if not self._judge_failures(sample):
            self._follow_load(sample)
        return self.limit

    def _follow_load(self, sample: Sample) -> None:
        if sample.late_s > _LATE_S:
            self._set(self.limit * _SHRINK)
        elif sample.late_s < _IDLE_S and sample.busy >= self.limit and self._suspected is None:
            self._set(self.limit * _GROWTH + 1)

    def _judge_failures(self, sample: Sample) -> bool:
        """Whether the failures of connections decided."""
        self._finished += sample.finished
        self._unconnected += sample.unconnected
        if self._servers_fail or self._finished < _JUDGED:
            return False
        share = self._unconnected / self._finished
        self._finished = self._unconnected = 0
        before, self._suspected = self._suspected, None
        if share <= _MANY or self.limit <= START:
            self._servers_fail = before is not None and share > _MANY
            return False
        if before is not None and share > before / 2:
            self._servers_fail = True
            return False
        self._suspected = share
        self._set(self.limit / 2)
        return True

    def _set(self, limit: float) -> None:
        self.limit = min(self._ceiling, max(START, int(limit)))
