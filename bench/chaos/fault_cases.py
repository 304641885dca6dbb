"""Every fault of a line that volact is tried with, and what has to be reported of it.

The expected report is written here by hand, stage by stage; it is never taken
from volact's output.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from volact_lab.trouble import Act, Stage, Trouble

Phase = Literal["probe", "repair"]
Way = Literal["ssh", "winrm"]

SSH_STAGES: tuple[Stage, ...] = (
    *("accept", "banner", "kex-init", "kex-reply", "new-keys", "auth", "channel", "sftp-init"),
    *("sftp-open", "sftp-write", "sftp-close", "exec", "answer", "exit", "close"),
)
# Before the server has proved who it is, nothing of it is believed but that it is there.
_EARLY: frozenset[Stage] = frozenset({"accept", "banner", "kex-init", "kex-reply", "new-keys"})
# The stages at which a script is sent or runs, when steps are applied on the open connection.
_REPAIR: tuple[tuple[Stage, int], ...] = (
    *(("sftp-open", 1), ("sftp-write", 3), ("sftp-close", 1), ("channel", 2)),
    *(("exec", 1), ("answer", 1), ("exit", 1)),
)
_DENIED: dict[Stage, frozenset[str]] = {
    "auth": frozenset({"auth"}),
    "channel": frozenset({"connect"}),  # administratively prohibited
    "sftp-init": frozenset({"connect"}),  # no such subsystem
    "sftp-open": frozenset({"auth"}),  # permission denied
    "sftp-write": frozenset({"protocol"}),  # no space
    "sftp-close": frozenset({"protocol"}),
    "exec": frozenset({"agent"}),  # blocked by policy: the agent never speaks
}
_SEEN = frozenset({"healthy", "failed", "timeout"})
_REQUESTS = 8  # of a visit over WinRM that can be told apart


@dataclass(frozen=True)
class Case:
    """One fault on one server.

    ``kinds`` are the kinds of error that are right, ``healthy`` among them where
    the fault comes too late to matter or the closing probe makes up for it.
    """

    stage: Stage
    act: Act
    phase: Phase
    way: Way
    skip: int
    seed: int
    kinds: frozenset[str]

    @property
    def name(self) -> str:
        """``ssh probe: drop at sftp-open``."""
        return f"{self.way} {self.phase}: {self.trouble().name}"

    def trouble(self) -> Trouble:
        """The trouble for a gate: always there in a check, once in a repair."""
        times = 1 if self.phase == "repair" else None
        return Trouble(self.stage, self.act, self.seed, self.skip, times)


def cases(seed: int) -> tuple[Case, ...]:
    """All of them, each with a seed of its own drawn from this one."""
    drawn = (*_ssh_looks(), *_ssh_repairs(), *_winrm_looks())
    return tuple(
        Case(stage, act, phase, way, skip, seed * 1000 + number, kinds)
        for number, (stage, act, phase, way, skip, kinds) in enumerate(drawn)
    )


_Drawn = tuple[Stage, Act, Phase, Way, int, frozenset[str]]


def _ssh_looks() -> Iterator[_Drawn]:
    for stage in SSH_STAGES:
        for act in _acts(stage):
            yield stage, act, "probe", "ssh", 0, _kinds(stage, act)
    for act in ("drop", "hang", "garbage", "deny"):
        yield "channel", act, "probe", "ssh", 1, _kinds("channel", act)


def _acts(stage: Stage) -> tuple[Act, ...]:
    if stage == "accept":
        return ("drop", "hang", "garbage")
    if stage == "close":
        return ("drop", "hang", "garbage")
    acts: list[Act] = ["drop", "hang", "garbage", "slow"]
    if stage in ("banner", "exec", "answer"):
        acts.append("flood")
    if stage in _DENIED:
        acts.append("deny")
    return tuple(acts)


def _kinds(stage: Stage, act: Act) -> frozenset[str]:
    """The kinds that are right for a fault that is there all the time."""
    if stage == "close":
        return frozenset({"healthy"})  # everything was sent before
    if act == "deny":
        return _DENIED[stage]
    if act == "flood":
        return frozenset({"protocol"})
    if act in ("hang", "slow"):
        return frozenset({"timeout"})
    if act == "drop":
        return frozenset({"connect"})
    # Garbage may be a length that never comes, a packet that is none, or break the line.
    return frozenset(
        {"protocol", "connect", "timeout"} if stage in _EARLY else {"protocol", "connect"}
    )


def _ssh_repairs() -> Iterator[_Drawn]:
    """Once, when the steps are sent.  A closing probe follows on a new connection.

    It finds the server repaired when the steps were done and their answer lost,
    and as it was (``failed``) when they never came to it; on a slow machine there
    may be no time for it any more.
    """
    for stage, skip in _REPAIR:
        for act in ("drop", "hang", "garbage"):
            yield stage, act, "repair", "ssh", skip, _kinds(stage, act) | _SEEN
    for stage, skip in (("sftp-open", 1), ("sftp-write", 3), ("exec", 1)):
        yield stage, "deny", "repair", "ssh", skip, _DENIED[stage] | _SEEN


def _winrm_looks() -> Iterator[_Drawn]:
    any_break = frozenset({"connect", "protocol", "auth"})
    for number in range(_REQUESTS):
        late = frozenset({"healthy"}) if number >= 4 else frozenset()
        yield "request", "drop", "probe", "winrm", number, any_break | late
        yield "request", "hang", "probe", "winrm", number, frozenset({"timeout"}) | late
        yield "request", "garbage", "probe", "winrm", number, any_break | late
        yield "request", "flood", "probe", "winrm", number, any_break | late
        yield "request", "deny", "probe", "winrm", number, any_break | late
    for act in ("drop", "hang", "garbage"):
        yield "accept", act, "probe", "winrm", 0, any_break | {"timeout"}
