"""What can happen to a connection, and at which stage of its protocol.  Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# In the order in which a visit over SSH passes them; ``request`` is one of WinRM's.
Stage = Literal[
    "accept",
    "banner",
    "kex-init",
    "kex-reply",
    "new-keys",
    "auth",
    "channel",
    "sftp-init",
    "sftp-open",
    "sftp-write",
    "sftp-close",
    "exec",
    "answer",
    "exit",
    "close",
    "request",
]
# drop: both sides see the connection end.  hang: nothing comes any more.
# garbage: random bytes come instead.  slow: a byte a second.  flood: output without
# end.  deny: the server refuses as its protocol does.
Act = Literal["drop", "hang", "garbage", "slow", "flood", "deny"]


@dataclass
class Trouble:
    """One fault of a line.  It strikes when a stage was passed ``skip`` times before.

    ``times`` is how often it strikes at most, ``None`` for always.  ``seed``
    decides what is left open: which garbage, before or after the work is done.
    """

    stage: Stage
    act: Act
    seed: int = 0
    skip: int = 0
    times: int | None = None
    struck: int = 0
    passed: int = 0

    def strikes(self, stage: Stage) -> bool:
        """Whether it strikes now, as this stage is passed."""
        if stage != self.stage:
            return False
        self.passed += 1
        if self.passed <= self.skip or (self.times is not None and self.struck >= self.times):
            return False
        self.struck += 1
        return True

    @property
    def name(self) -> str:
        """``drop at sftp-open``."""
        again = f" (the {self.skip + 1}. time)" if self.skip else ""
        return f"{self.act} at {self.stage}{again}"
