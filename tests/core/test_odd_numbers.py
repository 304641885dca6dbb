"""Numbers that no server should have are judged like any others, or are no fact."""

from __future__ import annotations

import pytest
from servers import KMS, OTHER_KMS, TIMEOUT, context, facts_of, product, server

from volact.core.assessment import assess
from volact.core.findings import diagnose
from volact.core.plan import make_plan
from volact.core.rows import license_row

LONG = "9" * 5000


@pytest.mark.parametrize("left", [4_294_967_294, 4_294_967_295])
def test_a_term_beyond_every_calendar_has_no_end(left: int) -> None:
    ctx, keyed = context(), product("2019", kms=OTHER_KMS, GracePeriodRemaining=left)
    facts = facts_of(server("2019", kms=OTHER_KMS, products=[keyed]))
    found = {finding.id: finding for finding in diagnose(assess(facts, ctx))}
    assert found["licensed-by-other-kms"].evidence["ends"] is None
    assert license_row(assess(facts, ctx)).expires is None


def test_a_port_of_five_thousand_digits_is_no_port() -> None:
    ctx = context()
    facts = facts_of(
        server("2008", registry__machine="kms.tencentyun.com", registry__port=LONG, licensed=False)
    )
    findings = diagnose(assess(facts, ctx))
    make_plan(assess(facts, ctx), findings)
    assert license_row(assess(facts, ctx)).kms_host == "kms.tencentyun.com:1688"


def test_a_rule_about_no_port_at_all_blocks_nothing() -> None:
    rule = f"v2.10|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort={LONG}|Name=x|"
    walled = {"service": "Running", "blocking": [], "block": [rule], "allow": []}
    raw = server(licensed=False, firewall=walled, reach={f"{KMS}:1688": TIMEOUT})
    assert "firewall-blocks-kms" not in {f.id for f in diagnose(assess(facts_of(raw), context()))}
