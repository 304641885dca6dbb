"""A finding: one thing about a server that is wrong or notable."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Severity = Literal["error", "warning", "info"]
Repair = Literal["automatic", "needs-consent", "manual"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``id`` is stable and has a page ``docs/findings/<id>.md``.

    ``evidence`` holds the facts the finding rests on (JSON values only).
    ``remedy`` is what is left for a person when volact does not repair it.
    """

    id: str
    severity: Severity
    summary: str
    evidence: dict[str, Any] = {}
    repair: Repair = "manual"
    remedy: str = ""
