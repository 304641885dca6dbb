"""What a rule returns, and how a finding is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from volact.core.assessment import Assessment
from volact.model.finding import Finding, Repair
from volact.model.text import Text, say

Rule = Callable[[Assessment], Finding | None]


def on_server(*commands: str) -> Text:
    """A remedy that is typed on the server."""
    return say("On the server: {commands}", commands="; ".join(commands))


def error(
    id: str, summary: Text, evidence: dict[str, Any], *, repair: Repair = "manual", remedy: Text
) -> Finding:
    """A finding that stops activation, or will."""
    return Finding(
        id=id,
        severity="error",
        summary=summary,
        evidence=evidence,
        repair=repair,
        remedy=remedy,
    )


def warning(
    id: str, summary: Text, evidence: dict[str, Any], *, repair: Repair = "manual", remedy: Text
) -> Finding:
    """A finding that is not right, but does not stop activation."""
    return Finding(
        id=id,
        severity="warning",
        summary=summary,
        evidence=evidence,
        repair=repair,
        remedy=remedy,
    )


def info(id: str, summary: Text, evidence: dict[str, Any], *, remedy: Text) -> Finding:
    """Something notable; nothing has to be done."""
    return Finding(
        id=id,
        severity="info",
        summary=summary,
        evidence=evidence,
        repair="manual",
        remedy=remedy,
    )
