"""What a finding says is true of the server: editions, ports, lengths of time."""

from __future__ import annotations

from typing import Any

import pytest
from servers import KMS, context, facts_of, product, server

from volact.core.assessment import assess
from volact.core.findings import diagnose
from volact.core.rows import os_row
from volact.model.finding import Finding


def found(raw: dict[str, Any]) -> dict[str, Finding]:
    return {f.id: f for f in diagnose(assess(facts_of(raw), context()))}


@pytest.mark.parametrize(
    ("release", "sku"),
    [
        ("2012 R2", 33),  # Foundation
        ("2008", 9),  # Small Business Server
        ("2008 R2", 25),  # Small Business Server Premium
        ("2008 R2", 34),  # Windows Home Server 2011
        ("2012 R2", 44),  # Storage Server Standard, Server Core
        ("2008 R2", 56),  # Windows MultiPoint Server
    ],
)
def test_every_edition_of_windows_server_is_one(release: str, sku: int) -> None:
    raw = server(release, sku=sku)
    assert "release-unsupported" not in found(raw)
    assert os_row(assess(facts_of(raw), context())).release == release


def test_an_unknown_build_of_a_server_edition_is_an_unknown_release() -> None:
    summary = found(server("2012 R2", sku=33, os__build=9700))["release-unsupported"].summary
    assert summary == "Build 9700 is not a known release of Windows Server."


@pytest.mark.parametrize(
    ("port", "more"), [("1689", ""), ("1668", " It is a misprint on the provider's page.")]
)
def test_of_a_policy_with_the_right_name_the_port_is_called_wrong(port: str, more: str) -> None:
    raw = server("2019", registry__policy_machine=KMS, registry__policy_port=port)
    policy = found(raw)["kms-host-set-by-policy"]
    told = f"Group policy sets the port of the KMS host {KMS} to {port} instead of 1688.{more}"
    assert policy.summary == told
    assert (policy.severity, policy.evidence) == ("error", {"host": f"{KMS}:{port}"})
    assert f"Set the policy to {KMS}:1688" in policy.remedy


@pytest.mark.parametrize(
    ("interval", "left", "told"),
    [
        (120, 259_200 - 300, "5 h 0 min ago; one is due every 2 h 0 min."),
        (1440, 259_200 - 4 * 1440 - 60, "4 d 1 h ago; one is due every 1 d 0 h."),
    ],
)
def test_a_late_renewal_is_told_in_the_length_that_it_has(
    interval: int, left: int, told: str
) -> None:
    late = product("2019", VLRenewalInterval=interval, GracePeriodRemaining=left)
    summary = found(server("2019", products=[late]))["renewal-overdue"].summary
    assert summary == f"The last renewal was {told}"
