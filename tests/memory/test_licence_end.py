"""When a licence ends, as of now."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_samples import NOW, iso

from volact.core.licence_end import EndState, days_until, licence_end, moment_of
from volact.model.report import LicenseRow


def row(status: str | None, expires: str | None = None, channel: str | None = None) -> LicenseRow:
    return LicenseRow(status=status, expires=expires, channel=channel)


@pytest.mark.parametrize(
    ("license", "state", "days"),
    [
        (None, "unknown", None),
        (row(None, iso(5)), "unknown", None),
        (row("licensed", iso(5), "VOLUME_KMSCLIENT"), "ends", 5),
        (row("licensed", iso(-2), "VOLUME_KMSCLIENT"), "expired", -2),
        (row("licensed", iso(0), "VOLUME_KMSCLIENT"), "expired", 0),
        (row("initial-grace", iso(3)), "ends", 3),
        (row("licensed", None, "VOLUME_KMSCLIENT"), "unknown", None),
        (row("licensed", "soon", "VOLUME_KMSCLIENT"), "unknown", None),
        (row("licensed", None, None), "unknown", None),
        (row("licensed", None, "RETAIL"), "never", None),
        (row("licensed", None, "OEM_SLP"), "never", None),
        (row("licensed", None, "VOLUME_MAK"), "never", None),
        (row("licensed", None, "Volume:MAK"), "never", None),
        (row("licensed", None, "Volume:GVLK"), "unknown", None),
        (row("notification", iso(9)), "unlicensed", None),
        (row("unlicensed"), "unlicensed", None),
        (row("extended-grace"), "unknown", None),
    ],
)
def test_states(license: LicenseRow | None, state: EndState, days: float | None) -> None:
    end = licence_end(license, NOW)
    assert (end.state, end.days) == (state, days)


def test_a_moment_without_a_zone_is_utc() -> None:
    assert days_until("2026-03-02T12:00:00", NOW) == 1
    assert days_until("2026-03-02T13:00:00+01:00", NOW) == 1


@given(st.one_of(st.none(), st.text(max_size=30)))
def test_any_text_is_a_moment_or_none(text: str | None) -> None:
    at = moment_of(text)
    assert at is None or at.tzinfo is not None
