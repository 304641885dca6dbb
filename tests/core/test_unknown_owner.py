"""A licence of a KMS host without a known owner is taken over only with consent."""

from __future__ import annotations

from typing import Any

import pytest
from judged import judged
from servers import OTHER_KMS, product, server

UNKNOWN_IMAGE: dict[str, Any] = {"metadata__image-id": "img-unknown"}


def client(**changes: Any) -> dict[str, Any]:
    return product("2019", kms=None, **changes)


@pytest.mark.parametrize(
    "discovered",
    [
        {},
        {
            "DiscoveredKeyManagementServiceMachineName": "kms.corp.example",
            "DiscoveredKeyManagementServiceMachinePort": 1688,
        },
    ],
)
def test_where_no_host_is_set(discovered: dict[str, Any]) -> None:
    raw = server("2019", kms=None, products=[client(**discovered)], **UNKNOWN_IMAGE)
    seen = judged(raw)
    assert seen.found["kms-host-wrong"].repair == "needs-consent"
    assert (seen.steps, seen.asks_for) == ([], ["--allow move-kms"])
    allowed = judged(raw, consent=frozenset({"move-kms"}))
    assert allowed.steps == ["set-kms-host", "activate"]


def test_it_is_automatic_where_the_providers_licence_covers_the_server() -> None:
    seen = judged(server("2019", kms=None, products=[client()]))
    assert seen.steps == ["set-kms-host", "activate"]


def test_it_is_automatic_where_nothing_is_licensed() -> None:
    raw = server("2019", kms=None, licensed=False, **UNKNOWN_IMAGE)
    assert judged(raw).steps == ["set-kms-host", "activate"]


def test_an_unreadable_host_of_a_licensed_product_does_not_spare_the_question() -> None:
    """Two clients of 2008 R2, one of them licensed by a host that is not known or not read."""
    licensed = product("2008 R2", kms=OTHER_KMS)
    other = product("2008 R2", kms=OTHER_KMS, licensed=False, ID="second")
    raw = server("2008 R2", kms=OTHER_KMS, products=[licensed, other], **UNKNOWN_IMAGE)
    assert judged(raw).asks_for == ["--allow move-kms"]
    licensed.pop("KeyManagementServiceMachine")
    licensed["!"] = {"KeyManagementServiceMachine": 0x80041001}
    raw = server("2008 R2", kms=OTHER_KMS, products=[licensed, other], **UNKNOWN_IMAGE)
    assert judged(raw).steps == []
    assert judged(raw).asks_for == ["--allow move-kms"]
