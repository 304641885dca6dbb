"""A remedy says what helps on this server now."""

from __future__ import annotations

from typing import Any

import pytest
from judged import judged
from servers import CONNECTED, KMS, KMS1, UNRESOLVED, server


def tried(code: str, **changes: Any) -> dict[str, Any]:
    """A server whose last request for a licence failed with this code."""
    return server(
        "2019",
        licensed=False,
        **{"events__12288": ["2026-01-19T07:00:00Z", [code, "0x0", "0.0.0.0:0"], 3], **changes},
    )


def test_a_request_before_the_host_was_set_gives_no_advice() -> None:
    remedy = judged(tried("0x8007232B")).found["not-licensed"].remedy
    assert "Set the KMS host by name" not in remedy
    assert remedy.startswith("On the server: ")


@pytest.mark.parametrize(
    "changes",
    [
        {"kms": None},
        {"reach": {f"{KMS}:1688": UNRESOLVED, f"{KMS1}:1688": CONNECTED}},
    ],
)
def test_it_does_where_no_host_is_set_or_none_is_found(changes: dict[str, Any]) -> None:
    remedy = judged(tried("0x8007232B", **changes)).found["not-licensed"].remedy
    assert "Set the KMS host by name" in remedy


def test_the_remedy_for_a_lost_right_names_the_registry_key() -> None:
    remedy = judged(tried("0x8007000D")).found["not-licensed"].remedy
    assert r"HKLM\SYSTEM\CurrentControlSet\Enum\Root" in remedy
