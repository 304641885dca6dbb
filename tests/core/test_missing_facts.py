"""No step rests on a fact that could not be read or is absent, and that it is missing is told."""

from __future__ import annotations

from typing import Any

import pytest
from judged import judged
from more_examples import HEALTHY_RIGHTS
from servers import CONNECTED, KMS, KMS1, REFUSED, product, server, unreadable

OTHER_REACHED = {f"{KMS}:1688": REFUSED, f"{KMS1}:1688": CONNECTED}
LOST_RIGHT = {**HEALTHY_RIGHTS, "plugplay": "D:(A;;CC;;;SY)"}


def unread_status(**changes: Any) -> dict[str, Any]:
    found = product("2019", **changes)
    del found["LicenseStatus"]
    return {**found, "!": {"LicenseStatus": 0x80041001}}


def test_another_kms_host_is_set_only_where_the_licence_is_known() -> None:
    refused = judged(server("2019", licensed=False, reach=OTHER_REACHED))
    assert refused.found["kms-unreachable"].severity == "error"
    assert refused.steps == ["set-kms-host", "activate"]
    unread = judged(server("2019", reach=OTHER_REACHED, products=[unread_status()]))
    assert unread.found["kms-unreachable"].severity == "warning"
    assert unread.steps == []
    assert "fact-unreadable" in unread.of("error")


def test_nor_where_the_licence_of_one_product_is_not() -> None:
    other = product("2019", licensed=False, ID="second")
    seen = judged(server("2019", reach=OTHER_REACHED, products=[unread_status(), other]))
    assert seen.found["kms-unreachable"].repair == "manual"
    assert "set-kms-host" not in seen.steps


def test_another_kms_host_is_set_where_there_is_no_key() -> None:
    seen = judged(server("2019", reach=OTHER_REACHED, products=[]))
    assert seen.steps == ["install-key", "set-kms-host", "activate"]


def test_a_key_that_may_be_in_use_is_not_about_to_be_replaced() -> None:
    mak = unread_status(kms=None, channel="VOLUME_MAK", ProductKeyChannel="Volume:MAK")
    assert judged(server("2019", kms=None, products=[mak]), replace_key=True).steps == []


@pytest.mark.parametrize("missing", [None, unreadable()])
@pytest.mark.parametrize("fact", ["sku", "build"])
def test_an_edition_that_is_not_known_keeps_the_licence(fact: str, missing: object) -> None:
    raw = server("2019", licensed=False, kms=None)
    raw["os"][fact] = missing
    seen = judged(raw)
    assert seen.steps == []
    assert f"os.{fact}" in seen.found["fact-unreadable"].evidence


@pytest.mark.parametrize("lost", [{}, {"rights": LOST_RIGHT}])
@pytest.mark.parametrize("key", [unread_status(), {**product("2019"), "LicenseIsAddon": None}])
def test_an_unread_licence_is_told_beside_a_lost_right(
    lost: dict[str, Any], key: dict[str, Any]
) -> None:
    """The right explains a licensing service that is silent; this one has answered."""
    seen = judged(server("2019", products=[key], **lost))
    assert "fact-unreadable" in seen.of("error")
    assert (seen.standing, seen.steps) == ("unknown", [])


def test_a_silent_licensing_service_is_explained_by_it() -> None:
    silent = server("2019", products=unreadable(), licensing=unreadable(), rights=LOST_RIGHT)
    seen = judged(silent)
    assert "rights-lost" in seen.of("error")
    assert "fact-unreadable" not in seen.found
