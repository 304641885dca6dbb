"""Whether a rollout continues: the outcomes so far, and the limits they are held against.  Pure.

Rows go in, a decision comes out.  When a server begins is ``worker_pool``'s.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from volact.model.report import ServerReport
from volact.model.text import Text, count, listed, say

StopReason = Literal["canary", "unproven", "failures", "interrupted", "run-time"]
_NAMED = 3


class Stop(msgspec.Struct, frozen=True):
    """The decision to begin no more servers, and its reason."""

    why: StopReason
    sentence: Text


class FailureLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many failures are allowed among the canaries and in all; ``None``: any number."""

    canaries: int = 0
    canary_failures: int = 0
    failures: int | None = None


class FailurePolicy:
    """Counts the outcomes of one rollout and decides when it stops."""

    def __init__(self, limits: FailureLimits) -> None:
        self._limits = limits
        self._failed: list[str] = []
        self._failures = 0
        self._proven = 0
        self._ended = 0
        self._why: StopReason | None = None

    @property
    def stop(self) -> Stop | None:
        """Whether it stopped, with all failures that are counted by now."""
        return None if self._why is None else Stop(self._why, self._sentence(self._why))

    def record(self, row: ServerReport, *, sent: bool) -> None:
        """Count a finished server.

        ``sent`` says that steps were sent.  A server that then became unreachable counts
        as failed: what the steps did there is unknown.
        """
        self._ended += 1
        self._proven += row.verdict == "healthy"
        if row.verdict == "failed" or (sent and row.verdict == "unreachable"):
            self._failures += 1
            if len(self._failed) <= _NAMED:
                self._failed.append(row.name)
        self._why = self._why or self._judge()

    def stop_for(self, why: Literal["interrupted", "run-time"]) -> None:
        """Stop for a reason from outside: an interrupt, or the time limit of the run."""
        self._why = self._why or why

    def _judge(self) -> StopReason | None:
        limits = self._limits
        first = self._ended <= limits.canaries
        if first and self._failures > limits.canary_failures:
            return "canary"
        if limits.failures is not None and self._failures > limits.failures:
            return "failures"
        if limits.canaries and self._ended == limits.canaries and not self._proven:
            return "unproven"
        return None

    def _sentence(self, why: StopReason) -> Text:
        if why == "canary":
            return self._canaries_failed()
        return self._too_many_failed() if why == "failures" else _SENTENCES[why]

    def _canaries_failed(self) -> Text:
        return count(
            self._failures,
            "{n} canary failed: {names}",
            "{n} canaries failed: {names}",
            names=self._names(),
        )

    def _too_many_failed(self) -> Text:
        return count(
            self._failures,
            "{n} server failed, more than the {allowed} allowed: {names}",
            "{n} servers failed, more than the {allowed} allowed: {names}",
            allowed=self._limits.failures,
            names=self._names(),
        )

    def _names(self) -> Text:
        more = ["…"] if self._failures > _NAMED else []
        return listed([*self._failed[:_NAMED], *more])


_SENTENCES: dict[str, Text] = {
    "unproven": say("no canary could be verified as activated"),
    "interrupted": say("it was interrupted"),
    "run-time": say("its time limit was reached"),
}
