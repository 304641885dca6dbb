"""Times as the tables have them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

CLOCKS_DIFFER = timedelta(minutes=10)  # of several machines, at the most


def moment(when: datetime) -> str:
    """A time as text: UTC, milliseconds, ``Z``; it sorts as text."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """This moment."""
    return moment(datetime.now(UTC))


def end_of_day(day: date | None) -> str | None:
    """The last moment of a day in UTC."""
    return None if day is None else f"{day}T23:59:59.999Z"
