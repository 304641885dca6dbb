"""How far a server's clock is off, and what stands in the way of setting it.

A measurement is an interval.  The value used is the one nearest to zero: a
slow network must never look like a wrong clock.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from volact.model.fact import (
    ABSENT,
    NOT_ASKED,
    Absent,
    Fact,
    Known,
    Unreadable,
    is_known,
    is_unreadable,
    value_of,
)
from volact.model.facts import Facts, TimeFacts

KMS_WINDOW_S = 4 * 3600
# A KMS host refuses what is more than 4 h off *its own* clock.  That clock is
# not volact's, so the last half hour already counts as an error.
ERROR_S = KMS_WINDOW_S - 1800
WARNING_S = 300

NO_LIMIT = 0xFFFFFFFF
DEFAULT_LIMIT_S = 54_000  # stand-alone servers: 15 h

# A Date header is cut to whole seconds and was written before it arrived.
_DATE_LAG_S = 4
_AGREE_S = 30

Beyond = Literal["no", "local", "policy", "unknown"]
# Why W32Time takes the time from nowhere, by its type and its time servers; "": it does not.
SourceGap = Literal["", "no-sync", "no-domain", "no-peers"]


class ClockState(msgspec.Struct, frozen=True, kw_only=True):
    """The clock's error.

    ``skew_s``: seconds ahead (positive) or behind; ``None``: not measured.
    ``beyond_limit``: whether W32Time would refuse a correction that large, and
    whose limit that is; ``unknown``: what group policy allows was not read.
    """

    skew_s: int | None
    beyond_limit: Beyond

    @property
    def error_s(self) -> int:
        """Seconds off in either direction; 0 where it was not measured."""
        return abs(self.skew_s or 0)

    @property
    def accepted(self) -> bool:
        """Whether a KMS host takes it for right enough: known to be under four hours off."""
        return self.skew_s is not None and self.error_s < KMS_WINDOW_S


def clock_of(facts: Facts) -> ClockState:
    """The error of a server's clock."""
    skew = measured_skew(facts)
    return ClockState(
        skew_s=skew, beyond_limit="no" if skew is None else _beyond_limit(facts.time, skew)
    )


def measured_skew(facts: Facts) -> int | None:
    """Seconds this server's clock is ahead or behind.

    Measured against volact's own clock and against the provider's metadata
    service.  When both are available and disagree, one of those two clocks is
    wrong, and the measurement with the smaller error counts.
    """
    own, reference = _against_volact(facts), _against_reference(facts.time)
    if own is None or reference is None:
        return reference if own is None else own
    agree = abs(own - reference) <= _AGREE_S
    return own if agree else min(own, reference, key=abs)


def ntp_client(time: TimeFacts) -> Fact[int]:
    """1 where the NTP client is on, 0 where it is off: group policy's value before the own one.

    An agent of an earlier version did not ask for that of group policy.
    """
    policy = time.policy_client
    return time.client if isinstance(policy, Absent) or policy == NOT_ASKED else policy


def ntp_client_off(time: TimeFacts) -> bool:
    """Whether the NTP client is off, as far as it can be read."""
    client = ntp_client(time)
    return value_of(time.client if is_unreadable(client) else client) == 0


def time_type(time: TimeFacts) -> str:
    """Where W32Time takes the time from, in capitals: group policy's type before the own one."""
    return (value_of(time.policy_type) or value_of(time.type) or "").upper()


def time_peers(time: TimeFacts) -> Fact[str]:
    """The time servers: group policy's before the own ones."""
    return time.policy_peers if is_known(time.policy_peers) else time.peers


def source_gap(time: TimeFacts, *, standalone: bool) -> SourceGap:
    """Why W32Time takes the time from nowhere."""
    kind, peers = time_type(time), time_peers(time)
    if kind == "NOSYNC":
        return "no-sync"
    if kind == "NT5DS" and standalone:
        return "no-domain"
    return "no-peers" if kind == "NTP" and peers in (ABSENT, Known("")) else ""


def source_by_policy(time: TimeFacts) -> bool:
    """Whether group policy says where the time is taken from."""
    return is_known(time.policy_type) or is_known(time.policy_peers)


def own_limits(time: TimeFacts) -> tuple[Fact[int], Fact[int]]:
    """The server's limits forwards and backwards, those before an interrupted run raised them.

    Such a run has recorded them as ``54000 -``; they are restored before the clock is set.
    """
    saved = value_of(time.saved)
    if saved is None:
        return time.pos, time.neg
    forwards, backwards = [*saved.split(), "-", "-"][:2]
    return _recorded(forwards), _recorded(backwards)


def _recorded(word: str) -> Fact[int]:
    return Known(int(word)) if re.fullmatch("[0-9]{1,10}", word) else ABSENT


def beyond_own_limit(time: TimeFacts, skew: int) -> bool:
    """Whether the server's own limit refuses it, which holds where group policy sets none."""
    forwards, backwards = own_limits(time)
    limit = backwards if skew > 0 else forwards
    if isinstance(limit, Unreadable):
        return False
    return _exceeds(skew, limit.value if isinstance(limit, Known) else DEFAULT_LIMIT_S)


def _beyond_limit(time: TimeFacts, skew: int) -> Beyond:
    """A clock that is behind needs a positive correction, one ahead a negative."""
    policy = time.policy_neg if skew > 0 else time.policy_pos
    if isinstance(policy, Unreadable):
        return "unknown"
    if isinstance(policy, Known):
        return "policy" if _exceeds(skew, policy.value) else "no"
    return "local" if beyond_own_limit(time, skew) else "no"


def _against_volact(facts: Facts) -> int | None:
    utc, clock = value_of(facts.time.utc), facts.clock
    if utc is None or clock is None:
        return None
    return _nearest_zero(utc / 1000 - clock.answered, utc / 1000 - clock.asked)


def _against_reference(time: TimeFacts) -> int | None:
    reference, at = value_of(time.ref), value_of(time.ref_at)
    if reference is None or at is None:
        return None
    late = (at - reference) / 1000
    return _nearest_zero(late - _DATE_LAG_S, late)


def _nearest_zero(low: float, high: float) -> int:
    if low <= 0 <= high:
        return 0
    return round(low if low > 0 else high)


def _exceeds(skew: int, limit: int) -> bool:
    return limit != NO_LIMIT and abs(skew) > limit
