"""On which side of the right time a clock is that goes by the hardware clock."""

from __future__ import annotations

import pytest
from servers import context, facts_of, server

from volact.core.assessment import assess
from volact.core.findings import diagnose

HOUR = 3600


@pytest.mark.parametrize(
    ("bias_min", "skew_s", "universal", "side"),
    [
        (480, -8 * HOUR, None, "behind"),
        (480, 8 * HOUR, 1, "ahead"),
        (-300, 5 * HOUR, None, "ahead"),
        (-300, -5 * HOUR, 1, "behind"),
    ],
)
def test_both_findings_name_the_same_side(
    bias_min: int, skew_s: int, universal: int | None, side: str
) -> None:
    raw = server(skew_s=skew_s, time__bias=bias_min, time__rtu=universal)
    found = {finding.id: finding for finding in diagnose(assess(facts_of(raw), context()))}
    for id in ("clock-skew", "rtc-utc-mismatch"):
        other = {"ahead": "behind", "behind": "ahead"}[side]
        assert side in found[id].summary
        assert other not in found[id].summary
