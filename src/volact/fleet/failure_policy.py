"""Whether a rollout continues: the outcomes so far, and the limits they are held against.  Pure.

Rows go in, a decision comes out.  When a server begins is ``worker_pool``'s.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from volact.model.report import ServerReport
from volact.model.text import Text, count, listed, say

StopReason = Literal["canary", "unproven", "failures", "interrupted", "run-time"]
NAMED = 3  # failed servers that a sentence names


class Stop(msgspec.Struct, frozen=True):
    """The decision to begin no more servers, and its reason."""

    why: StopReason
    sentence: Text


class FailureLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many failures are allowed among the canaries and in all; ``None``: any number."""

    canaries: int = 0
    canary_failures: int = 0
    failures: int | None = None


class Tally(msgspec.Struct, frozen=True):
    """The outcomes of a rollout so far; of the failures at least the first names."""

    ended: int = 0
    proven: int = 0
    failures: int = 0
    failed: tuple[str, ...] = ()

    def judge(self, limits: FailureLimits) -> Stop | None:
        """The stop that these outcomes are cause for."""
        why = self._why(limits)
        return None if why is None else Stop(why, _sentence(why, self, limits))

    def _why(self, limits: FailureLimits) -> StopReason | None:
        if self.ended <= limits.canaries and self.failures > limits.canary_failures:
            return "canary"
        if limits.failures is not None and self.failures > limits.failures:
            return "failures"
        if limits.canaries and self.ended == limits.canaries and not self.proven:
            return "unproven"
        return None


def is_failure(row: ServerReport, *, sent: bool) -> bool:
    """Whether an outcome counts against the limits.

    ``sent`` says that steps were sent.  A server that then became unreachable counts as
    failed: what the steps did there is unknown.
    """
    return row.verdict == "failed" or (sent and row.verdict == "unreachable")


class FailurePolicy:
    """Counts the outcomes of one rollout and decides when it stops."""

    def __init__(self, limits: FailureLimits) -> None:
        self._limits = limits
        self._tally = Tally()
        self._why: StopReason | None = None

    @property
    def stop(self) -> Stop | None:
        """Whether it stopped, with all failures that are counted by now."""
        if self._why is None:
            return None
        return Stop(self._why, _sentence(self._why, self._tally, self._limits))

    def record(self, row: ServerReport, *, sent: bool) -> None:
        """Count a finished server; ``sent`` as for ``is_failure``."""
        before, failed = self._tally, is_failure(row, sent=sent)
        named = failed and len(before.failed) <= NAMED
        self._tally = Tally(
            ended=before.ended + 1,
            proven=before.proven + (row.verdict == "healthy"),
            failures=before.failures + failed,
            failed=(*before.failed, row.name) if named else before.failed,
        )
        stop = self._tally.judge(self._limits)
        self._why = self._why or (None if stop is None else stop.why)

    def stop_for(self, why: Literal["interrupted", "run-time"]) -> None:
        """Stop for a reason from outside: an interrupt, or the time limit of the run."""
        self._why = self._why or why


def _sentence(why: StopReason, tally: Tally, limits: FailureLimits) -> Text:
    more = ["…"] if tally.failures > NAMED else []
    names = listed([*tally.failed[:NAMED], *more])
    if why == "canary":
        return count(
            tally.failures,
            "{n} canary failed: {names}",
            "{n} canaries failed: {names}",
            names=names,
        )
    if why == "failures":
        return count(
            tally.failures,
            "{n} server failed, more than the {allowed} allowed: {names}",
            "{n} servers failed, more than the {allowed} allowed: {names}",
            allowed=limits.failures,
            names=names,
        )
    return _SENTENCES[why]


_SENTENCES: dict[str, Text] = {
    "unproven": say("no canary could be verified as activated"),
    "interrupted": say("it was interrupted"),
    "run-time": say("its time limit was reached"),
}
