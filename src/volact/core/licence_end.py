"""When a server's licence ends, as of now, from what was seen of it at some time.

Judgement on the row of the JSON contract, so that it serves a new examination and a
stored one alike.  Which servers are shown for it is not decided here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from volact.model.report import LicenseRow

# expired: it ended, maybe after the examination.  ends: it ends at a known time to come.
# never: it has no end.  unlicensed: there was none then.
# unknown: no fact shows it.
EndState = Literal["expired", "ends", "never", "unlicensed", "unknown"]

_NOT_LICENSED = frozenset({"unlicensed", "notification"})


class LicenceEnd(msgspec.Struct, frozen=True):
    """How a licence stands, and how many days are left (negative: since when not)."""

    state: EndState
    days: float | None = None


def licence_end(license: LicenseRow | None, now: datetime) -> LicenceEnd:
    """How the licence stands at ``now``; ``None`` where the server was never examined."""
    state, at = end_of_term(license)
    if at is None:
        return LicenceEnd(state)
    days = (at - now).total_seconds() / 86400
    return LicenceEnd("ends" if days > 0 else "expired", days)


def end_of_term(license: LicenseRow | None) -> tuple[EndState, datetime | None]:
    """What is known of a licence's end at any time: a state, or ``ends`` and when."""
    if license is None or license.status is None:
        return "unknown", None
    if license.status in _NOT_LICENSED:
        return "unlicensed", None
    if at := moment_of(license.expires):
        return "ends", at
    if license.status == "licensed" and _without_end(license.channel):
        return "never", None
    return "unknown", None


def days_until(moment: str | None, now: datetime) -> float | None:
    """Days from ``now`` to a moment of ISO 8601, UTC where it names no zone."""
    at = moment_of(moment)
    return None if at is None else (at - now).total_seconds() / 86400


def moment_of(text: str | None) -> datetime | None:
    """A moment of ISO 8601; ``None`` for what is none."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _without_end(channel: str | None) -> bool:
    """Whether licences of this channel are for good, in either spelling of channels."""
    word = (channel or "").upper()
    return word.startswith(("RETAIL", "OEM")) or "MAK" in word
