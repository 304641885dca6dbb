"""A trace of an emulator that no step takes away: a person does, and no option is named."""

from __future__ import annotations

from typing import Any

import pytest
from servers import KMS, PRODUCT_ID, context, facts_of, product, server

from volact.core.assessment import assess
from volact.core.findings import diagnose
from volact.core.plan import make_plan
from volact.model.finding import Finding

SELF = "127.0.0.2"
CLEAR = "slmgr.vbs -ckms"
OWN = [product("2019", kms=SELF)]


def trace(raw: dict[str, Any]) -> Finding:
    """The finding, with the operator's agreement to the move; no step is planned."""
    a = assess(facts_of(raw), context(consent=frozenset({"move-kms"})))
    findings = diagnose(a)
    assert make_plan(a, findings).steps == ()
    return next(f for f in findings if f.id == "emulator-suspected")


@pytest.mark.parametrize(
    ("raw", "layer", "command"),
    [
        (server("2019", kms=SELF, registry__policy_machine=KMS), "the server-wide KMS", CLEAR),
        (server("2019", kms=SELF, products=[product("2019")]), "the server-wide KMS", CLEAR),
        (
            server("2019", products=OWN, registry__policy_machine=KMS),
            "a product's own KMS host",
            f"{CLEAR} {PRODUCT_ID}",
        ),
        (server("2019", registry__policy_machine=SELF), "group policy", "gpupdate /force"),
    ],
)
def test_a_setting_that_volact_leaves_is_named_with_its_command(
    raw: dict[str, Any], layer: str, command: str
) -> None:
    found = trace(raw)
    assert found.repair == "manual"
    assert layer in found.remedy
    assert found.remedy.endswith(command)
    assert "--allow" not in found.remedy


def test_both_settings_are_named_where_both_are_left() -> None:
    raw = server("2019", kms="localhost", products=OWN, registry__policy_machine=KMS)
    found = trace(raw)
    assert "the server-wide KMS host and a product's own KMS host" in found.remedy
    assert found.remedy.endswith(f"{CLEAR} {PRODUCT_ID}")


def test_once_it_is_cleared_the_server_is_healthy_again() -> None:
    raw = server("2019", kms=None, products=[product("2019", kms=None)])
    raw["registry"]["policy_machine"] = KMS
    found = diagnose(assess(facts_of(raw), context()))
    assert [f.id for f in found if f.severity in ("error", "warning")] == []
