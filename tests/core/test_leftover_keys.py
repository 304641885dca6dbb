"""Servers without a KMS client key: which of their keys decides, and what may replace it."""

from __future__ import annotations

from typing import Any

import pytest
from judged import judged
from msgspec.structs import replace
from servers import context, product, server

from volact.core.assessment.channel import OWN_CHANNELS
from volact.core.findings.channel import OWN_KEYS
from volact.model.finding import Acceptance


def key(channel: str, word: str, *, licensed: bool = True, **changes: Any) -> dict[str, Any]:
    return product(
        "2019",
        licensed=licensed,
        kms=None,
        channel=channel,
        ProductKeyChannel=word,
        **{
            "GracePeriodRemaining": 0,
            "partial": channel[:5],
            "ID": channel.lower().replace("_", "-"),
            **changes,
        },
    )


RETAIL = key("RETAIL", "Retail")
MAK = key("VOLUME_MAK", "Volume:MAK")
TRIAL = key("TIMEBASED_EVAL", "Retail:TB:Eval", licensed=False)


def with_keys(*keys: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return server("2019", kms=None, products=list(keys), **changes)


@pytest.mark.parametrize("leftover", [TRIAL, key("RETAIL", "Retail", licensed=False, ID="other")])
@pytest.mark.parametrize("used", [RETAIL, MAK])
def test_a_leftover_key_beside_the_one_in_use_decides_nothing(
    used: dict[str, Any], leftover: dict[str, Any]
) -> None:
    for keys in ((used, leftover), (leftover, used)):
        seen = judged(with_keys(*keys))
        assert seen.of("error") == set()
        assert seen.of("info") == {"licensed-by-own-key", "several-keys"}
        products = seen.found["several-keys"].evidence["products"]
        deciding = [entry["partial_key"] for entry in products if entry["decides"]]
        assert deciding == [used["PartialProductKey"]]


def test_such_a_server_is_healthy_where_its_key_is_accepted() -> None:
    expected = (Acceptance(finding="licensed-by-own-key", reason="our own"),)
    ctx = replace(context(), expected=expected)
    assert judged(with_keys(RETAIL, TRIAL), ctx).healthy


def test_a_key_that_may_be_in_use_too_goes_on_deciding() -> None:
    unread = key("RETAIL", "Retail") | {"!": {"LicenseStatus": 0x80041001}}
    del unread["LicenseStatus"]
    seen = judged(with_keys(MAK, unread))
    assert seen.standing == "unknown"
    assert "fact-unreadable" in seen.of("error")


@pytest.mark.parametrize("licensed", [True, False])
def test_a_trial_key_alone_is_an_evaluation(licensed: bool) -> None:
    trial = key("TIMEBASED_EVAL", "Retail:TB:Eval", licensed=licensed)
    assert "edition-evaluation" in judged(with_keys(trial)).of("error")


def test_a_trial_in_use_is_one_beside_any_unused_key() -> None:
    trial = key("TIMEBASED_EVAL", "Retail:TB:Eval")
    spare = key("RETAIL", "Retail", licensed=False)
    assert "edition-evaluation" in judged(with_keys(trial, spare)).of("error")


@pytest.mark.parametrize(
    "unknown",
    [
        key("TIMEBASED_SUB", "Subscription"),
        {**key("X", "Y"), "Description": None, "ProductKeyChannel": None},
    ],
)
def test_a_licence_of_an_unknown_kind_is_told(unknown: dict[str, Any]) -> None:
    seen = judged(with_keys(unknown))
    assert seen.found["licensed-by-own-key"].summary.startswith(
        "Windows is licensed with a key of a kind that volact does not know"
    )
    assert (seen.of("error"), seen.steps, seen.healthy) == (set(), [], False)


def test_one_that_licenses_nothing_is_not_called_wrong() -> None:
    seen = judged(with_keys(key("TIMEBASED_SUB", "Subscription", licensed=False)))
    assert seen.of("error") == {"not-licensed"}


@pytest.mark.parametrize(
    ("owned", "changes"),
    [
        (key("TIMEBASED_SUB", "Subscription", licensed=False), {}),
        (key("VOLUME_MAK", "Volume:MAK", licensed=False), {"os__sku": 20}),
    ],
)
def test_no_kms_host_is_set_for_a_key_that_is_not_replaced(
    owned: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert judged(with_keys(owned, **changes), replace_key=True).steps == []


def test_it_is_for_one_that_is() -> None:
    mak = key("VOLUME_MAK", "Volume:MAK", licensed=False)
    seen = judged(with_keys(mak), replace_key=True)
    assert seen.steps == ["install-key", "set-kms-host", "activate"]


def test_every_kind_of_an_own_key_has_a_name() -> None:
    assert tuple(OWN_KEYS) == OWN_CHANNELS
