"""Where a licence is left as it is, no repair of it is promised."""

from __future__ import annotations

from typing import Any

import pytest
from servers import KMS, KMS1, OTHER_KMS, TIMEOUT, context, facts_of, product, server

from volact.core.assessment import assess
from volact.core.findings import diagnose

WITHOUT_KEY = 25398  # version 23H2
LEFT = 20 * 1440


def on_23h2(
    left: int = 255_000,
    *,
    kms: str = KMS,
    port: int = 1688,
    by_directory: bool = False,
    reached: int = 0,
) -> dict[str, Any]:
    """A licensed server of a release that has no published key."""
    one = product(
        "2022", kms=kms, port=port, GracePeriodRemaining=left, VLActivationType=int(by_directory)
    )
    tried = {f"{KMS}:1688": reached, f"{KMS1}:1688": 0}
    return server("2022", kms=kms, port=port, products=[one], os__build=WITHOUT_KEY, reach=tried)


def repairs(raw: dict[str, Any], *consent: str) -> dict[str, str]:
    a = assess(facts_of(raw), context(consent=frozenset(consent)))
    return {finding.id: finding.repair for finding in diagnose(a)}


@pytest.mark.parametrize(
    ("raw", "id"),
    [
        (on_23h2(port=1668), "kms-port-wrong"),
        (on_23h2(kms=OTHER_KMS), "kms-host-wrong"),
        (on_23h2(kms=OTHER_KMS), "licensed-by-other-kms"),
        (on_23h2(LEFT, kms=OTHER_KMS), "grace-ending"),
        (on_23h2(LEFT, by_directory=True), "grace-ending"),
        (on_23h2(LEFT, reached=TIMEOUT), "kms-unreachable"),
    ],
)
def test_what_volact_leaves_as_it_is_is_for_a_person(raw: dict[str, Any], id: str) -> None:
    assert repairs(raw, "move-kms")[id] == "manual"
    assert repairs(raw)[id] == "manual"


@pytest.mark.parametrize("id", ["emulator-suspected", "licensed-by-other-kms", "kms-host-wrong"])
def test_no_option_is_named_that_allows_nothing(id: str) -> None:
    a = assess(facts_of(on_23h2(kms="127.0.0.2")), context())
    (found,) = [finding for finding in diagnose(a) if finding.id == id]
    assert "--allow" not in found.remedy
    assert found.repair == "manual"


def test_a_renewal_by_the_host_that_licensed_it_stays_volacts() -> None:
    assert repairs(on_23h2(LEFT))["grace-ending"] == "automatic"


def test_what_does_not_touch_the_licence_stays_volacts() -> None:
    raw = on_23h2(port=1668) | {"binary": server("2022", binary__debugger="x.exe")["binary"]}
    assert repairs(raw, "remove-debugger")["licensing-binary-blocked"] == "automatic"


def test_other_releases_keep_their_repairs() -> None:
    assert repairs(server("2022", port=1668))["kms-port-wrong"] == "automatic"


def test_what_volact_renews_is_not_left_to_be_activated_by_hand() -> None:
    found = diagnose(assess(facts_of(server("2022", os__build=19042, sku=145)), context()))
    (told,) = (f.remedy for f in found if f.id == "release-unsupported")
    assert "renews the licence" in told
    assert "by hand" not in told
