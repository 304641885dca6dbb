"""Samples of a run's load while it goes on; ``adaptive_concurrency`` says what follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from volact.fleet.adaptive_concurrency import EVERY_S, AdaptiveConcurrency, Sample
from volact.model.report import ServerReport


class LoadSampler:
    """How many servers a run may have at a time, by its load.

    Args:
        ceiling: the most.
        late_s: how late other processes of the run are, in seconds.
    """

    def __init__(self, ceiling: int, late_s: Callable[[], float] = lambda: 0.0) -> None:
        self._adaptive = AdaptiveConcurrency(ceiling)
        self._late_s = late_s
        self._finished = self._unconnected = 0  # since the last sample

    @property
    def limit(self) -> int:
        """The number now."""
        return self._adaptive.limit

    def count(self, report: ServerReport) -> None:
        """A server has finished."""
        self._finished += 1
        self._unconnected += report.error is not None and report.error.kind == "connect"

    async def limits(self, busy: Callable[[], int]) -> AsyncIterator[int]:
        """The number from now on, after each sample; ``busy`` counts the servers at work."""
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + EVERY_S
            await asyncio.sleep(EVERY_S)
            sample = Sample(
                late_s=max(clock() - due, self._late_s()),
                busy=busy(),
                finished=self._finished,
                unconnected=self._unconnected,
            )
            self._finished = self._unconnected = 0
            yield self._adaptive.observe(sample)
