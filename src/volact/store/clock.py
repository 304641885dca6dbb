"""Times as the tables have them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(when: datetime) -> str:
    """A time as text: UTC, milliseconds, ``Z``; it sorts as text."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """This moment."""
    return moment(datetime.now(UTC))
