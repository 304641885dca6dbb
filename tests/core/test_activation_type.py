"""Licences from Active Directory and from tokens, and servers set to these ways alone."""

from __future__ import annotations

from typing import Any

import pytest
from judged import judged
from servers import KMS, OTHER_KMS, product, server, unreadable

BY_TYPE: dict[str, Any] = {"VLActivationType": 3}
TOKEN: dict[str, Any] = {"TokenActivationILVID": 1, "TokenActivationGrantNumber": 1}
UNREAD_STATUS = {"!": {"LicenseStatus": 0x80041001}}


def one(kms: str | None = KMS, **changes: Any) -> dict[str, Any]:
    """A server of one licensed KMS client."""
    return server("2019", kms=kms, products=[product("2019", kms=kms, **changes)])


@pytest.mark.parametrize(
    "token",
    [
        TOKEN,
        {**TOKEN, "VLActivationType": 3, "VLActivationTypeEnabled": 3},
        {"VLActivationType": 3},
    ],
)
@pytest.mark.parametrize("kms", [KMS, OTHER_KMS, None])
def test_a_licence_from_a_token_is_left_alone(kms: str | None, token: dict[str, Any]) -> None:
    """slmgr.vbs: a product with a version of an issuance licence was activated by a token."""
    seen = judged(one(kms, **token))
    assert seen.standing == "other"
    assert seen.found["licensed-by-other-kms"].summary == (
        "Windows is licensed by a token, not by the provider's KMS host."
    )
    assert seen.of("warning") == {"licensed-by-other-kms"}
    assert (seen.of("error"), seen.steps, seen.healthy) == (set(), [], False)


@pytest.mark.parametrize(
    "not_by_token", [{}, {"TokenActivationILVID": None}, {"TokenActivationILVID": 0xFFFFFFFF}]
)
def test_without_such_a_version_it_is_no_token(not_by_token: dict[str, Any]) -> None:
    assert judged(one(**not_by_token)).standing == "accepted"


def test_active_directory_comes_first_as_in_slmgr() -> None:
    seen = judged(one(VLActivationType=1, **TOKEN))
    assert "Active Directory" in seen.found["licensed-by-other-kms"].summary


def test_a_token_that_could_not_be_asked_for_may_be_one() -> None:
    raw = one(None, **{"!": {"TokenActivationILVID": 0x80041001}})
    seen = judged(raw)
    assert (seen.standing, seen.steps) == ("unknown", [])
    assert "products.TokenActivationILVID" in seen.found["fact-unreadable"].evidence


def test_server_2008_knows_no_tokens() -> None:
    raw = server("2008")
    raw["products"][0]["!"][1] += " TokenActivationILVID"
    assert judged(raw).standing == "accepted"


def test_a_tokens_licence_that_ends_is_not_renewed_by_kms() -> None:
    seen = judged(one(GracePeriodRemaining=20_000, **TOKEN))
    assert seen.found["grace-ending"].repair == "manual"
    assert "renew it with the token" in seen.found["grace-ending"].remedy
    assert seen.steps == []


@pytest.mark.parametrize(("token", "overdue"), [({}, True), (TOKEN, False)])
def test_a_tokens_licence_is_not_renewed_every_few_days(
    token: dict[str, Any], overdue: bool
) -> None:
    seen = judged(one(GracePeriodRemaining=100_000, **token))
    assert ("renewal-overdue" in seen.found) is overdue


def test_a_failed_request_to_a_kms_host_does_not_concern_a_token() -> None:
    failed = ["2026-01-31T07:00:00Z", ["0xC004F074", "0x0", f"{KMS}:1688"], 7]
    raw = one(**TOKEN)
    raw["events"]["12288"] = failed
    assert "activation-failed" not in judged(raw).found


@pytest.mark.parametrize("kind", [1, 3])
def test_a_licence_that_no_kms_host_renews_any_more(kind: int) -> None:
    seen = judged(one(VLActivationTypeEnabled=kind))
    assert seen.of("warning") == {"activation-type-forced"}
    assert "no KMS host renews" in seen.found["activation-type-forced"].summary
    assert (seen.steps, seen.healthy) == ([], True)


def test_it_is_an_error_and_the_cause_once_the_licence_ends() -> None:
    seen = judged(one(VLActivationTypeEnabled=1, GracePeriodRemaining=20_000))
    assert seen.of("error") == {"activation-type-forced", "grace-ending"}
    assert next(iter(seen.found)) == "activation-type-forced"
    assert seen.steps == []
    assert [refusal.finding for refusal in seen.plan.refusals] == ["activation-type-forced"]


@pytest.mark.parametrize(
    "licence", [{"licensed": False}, UNREAD_STATUS, {"GracePeriodRemaining": 255_000}]
)
@pytest.mark.parametrize("kms", [KMS, OTHER_KMS, "kms.ovh.net", None])
def test_no_kms_host_is_set_or_asked_for_it(kms: str | None, licence: dict[str, Any]) -> None:
    seen = judged(one(kms, VLActivationTypeEnabled=1, **licence), consent=frozenset({"move-kms"}))
    assert "activation-type-forced" in seen.found
    assert not {"set-kms-host", "clear-kms-host", "activate"} & set(seen.steps)


@pytest.mark.parametrize("licensed", [True, False])
def test_no_consent_is_asked_for_what_is_not_done(licensed: bool) -> None:
    raw = one(OTHER_KMS, licensed=licensed, VLActivationTypeEnabled=1)
    raw["metadata"]["image-id"] = "img-unknown"
    seen = judged(raw)
    assert seen.found["kms-host-wrong"].repair == "manual"
    assert (seen.steps, seen.asks_for) == ([], [])


def test_a_wrong_port_is_not_called_repaired() -> None:
    raw = server("2019", port=1668)
    raw["products"][0]["VLActivationTypeEnabled"] = 1
    seen = judged(raw)
    assert seen.found["kms-port-wrong"].repair == "manual"
    assert seen.steps == []


def test_nor_where_a_product_has_a_host_of_its_own() -> None:
    changes: dict[str, Any] = {
        "KeyManagementServiceMachine": OTHER_KMS,
        "VLActivationTypeEnabled": 3,
    }
    seen = judged(one(licensed=False, **changes))
    assert "kms-host-per-product-override" in seen.found
    assert seen.steps == []


@pytest.mark.parametrize(
    "as_meant",
    [
        {"VLActivationType": 1, "VLActivationTypeEnabled": 1},
        {"VLActivationTypeEnabled": 3, **TOKEN},
        {"VLActivationTypeEnabled": 2},
    ],
)
def test_a_server_that_is_licensed_as_it_is_set_has_no_such_finding(
    as_meant: dict[str, Any],
) -> None:
    assert "activation-type-forced" not in judged(one(**as_meant)).found


def test_a_way_that_could_not_be_asked_for_is_no_accusation() -> None:
    raw = one(VLActivationTypeEnabled=1, VLActivationType=unreadable())
    raw["products"][0].pop("VLActivationType")
    raw["products"][0]["!"] = {"VLActivationType": 0x80041001}
    seen = judged(raw)
    assert "activation-type-forced" not in seen.found
    assert seen.steps == []
