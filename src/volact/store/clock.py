"""Times as the tables have them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(when: datetime) -> str:
    """A time as text: UTC, milliseconds, ``Z``; it sorts as text."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def now() -> str:
    """This moment."""
    return moment(datetime.now(UTC))
