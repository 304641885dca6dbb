"""Accepted findings as a person writes them: ``FINDING [until DATE][: REASON]``, or a table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from volact.core.findings import BY_ID
from volact.errors import InputError
from volact.inventory.fields import near
from volact.model.finding import Acceptance
from volact.model.text import say

_TEXT = re.compile(r"([^\s:]+)(?:\s+until\s+([^\s:]+))?\s*(?::\s*(.*?))?", re.DOTALL)
_KEYS = ("finding", "reason", "until")


def acceptances(value: Any) -> tuple[Acceptance, ...]:
    """Those of a text (several with ``;`` between), or of a list of texts and tables."""
    if isinstance(value, str):
        value = [word for word in value.split(";") if word.strip()]
    if not isinstance(value, list):
        raise InputError(say("expect is not a list of findings"))
    return tuple(_of_table(each) if isinstance(each, dict) else _of_text(each) for each in value)


def nearest(expected: Iterable[Acceptance]) -> tuple[Acceptance, ...]:
    """One acceptance for each finding: the last."""
    return tuple({each.finding: each for each in expected}.values())


def _of_text(text: Any) -> Acceptance:
    match = _TEXT.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise InputError(
            say("{text} is no accepted finding", text=repr(text)),
            "FINDING [until YYYY-MM-DD][: REASON]",
        )
    return _acceptance(match[1], match[2], match[3] or "")


def _of_table(table: dict[str, Any]) -> Acceptance:
    for key in table:
        if key not in _KEYS:
            raise InputError(say("expect: unknown key {key}", key=repr(key)), near(key, _KEYS))
    finding, reason = table.get("finding", ""), table.get("reason", "")
    if not isinstance(finding, str) or not isinstance(reason, str):
        raise InputError(say("expect: finding and reason are texts"))
    return _acceptance(finding, table.get("until"), reason.strip())


def _acceptance(finding: str, until: Any, reason: str) -> Acceptance:
    if finding not in BY_ID:
        raise InputError(
            say("no such finding: {finding}", finding=repr(finding)), near(finding, BY_ID)
        )
    return Acceptance(finding=finding, reason=reason, until=_day(until))


def _day(until: Any) -> date | None:
    if until is None or (isinstance(until, date) and not isinstance(until, datetime)):
        return until
    try:
        return date.fromisoformat(until)
    except (TypeError, ValueError):
        raise InputError(
            say("until {until} is not a day", until=until), say("YYYY-MM-DD, the last day in UTC")
        ) from None
