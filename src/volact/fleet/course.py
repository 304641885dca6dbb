"""Whether a rollout goes on: counts of what came of the servers so far, and the rule.  Pure.

Rows in, a decision out.  Who is begun when is ``stream``'s affair.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from volact.model.report import ServerReport
from volact.model.text import Text, count, listed, say

Why = Literal["canary", "unproven", "failures", "interrupted", "run-time"]
_NAMED = 3


class Stop(msgspec.Struct, frozen=True):
    """That a rollout begins nothing more, and why."""

    why: Why
    sentence: Text


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How many may fail: of the canaries, and of all; ``None`` means any number."""

    canaries: int = 0
    of_canaries: int = 0
    of_all: int | None = None


class Course:
    """The counts of one rollout."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._failed: list[str] = []
        self._failures = 0
        self._proven = 0
        self._ended = 0
        self.stop: Stop | None = None

    def ended(self, row: ServerReport, *, sent: bool) -> None:
        """Count a server that is finished; ``sent``: steps were sent, whatever is known of them."""
        self._ended += 1
        self._proven += row.verdict == "healthy"
        if row.verdict == "failed" or (sent and row.verdict == "unreachable"):
            self._failures += 1
            if len(self._failed) <= _NAMED:
                self._failed.append(row.name)
        if self.stop is None:
            self.stop = self._judge()

    def halted(self, why: Literal["interrupted", "run-time"]) -> None:
        """Somebody, or the time of the run, ends it."""
        if self.stop is None:
            self.stop = Stop(why, _HALTED[why])

    def _judge(self) -> Stop | None:
        rules = self._rules
        first = self._ended <= rules.canaries
        if first and self._failures > rules.of_canaries:
            return Stop("canary", self._canaries_failed())
        if rules.of_all is not None and self._failures > rules.of_all:
            return Stop("failures", self._too_many_failed(rules.of_all))
        if rules.canaries and self._ended == rules.canaries and not self._proven:
            return Stop("unproven", say("no canary could be shown to be activated"))
        return None

    def _canaries_failed(self) -> Text:
        return count(
            self._failures,
            "{n} canary failed: {names}",
            "{n} canaries failed: {names}",
            names=self._names(),
        )

    def _too_many_failed(self, allowed: int) -> Text:
        return count(
            self._failures,
            "{n} server failed, more than the {allowed} allowed: {names}",
            "{n} servers failed, more than the {allowed} allowed: {names}",
            allowed=allowed,
            names=self._names(),
        )

    def _names(self) -> Text:
        more = ["…"] if self._failures > _NAMED else []
        return listed([*self._failed[:_NAMED], *more])


_HALTED: dict[str, Text] = {
    "interrupted": say("it was interrupted"),
    "run-time": say("its time was up"),
}
