"""Spans of time as people type them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volact.core.span import parse_span
from volact.errors import InputError


@pytest.mark.parametrize(
    ("typed", "hours"),
    [("30d", 720), ("12h", 12), ("2w", 336), ("1d12h", 36), ("1.5h", 1.5), (" 90 M ", 1.5),
     ("90min", 1.5), ("3600s", 1)],
)  # fmt: skip
def test_what_people_type(typed: str, hours: float) -> None:
    assert parse_span(typed, "--within") == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "not a duration"),
        ("30", "not a duration"),
        ("d", "not a duration"),
        ("-3d", "not a duration"),
        ("30d!", "not a duration"),
        ("3 years", "not a duration"),
        ("0d", "the duration is zero"),
        ("9999w", "longer than 100 years"),
        ("9" * 400 + "d", "longer than 100 years"),
    ],
)
def test_what_is_none_is_said_in_one_line(typed: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        parse_span(typed, "--within")
    line = caught.value.line()
    assert line.startswith("--within")
    assert line.endswith("(write 30d, 12h, 2w or 90m)")
    assert "\n" not in line


@given(st.text(max_size=30))
def test_any_text_is_a_span_or_an_error_of_ours(text: str) -> None:
    try:
        assert parse_span(text, "--within") > timedelta(0)
    except InputError:
        return
