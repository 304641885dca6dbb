"""How verdicts, findings, evidence and steps are said to a person.

Pure text from values; every string that comes out is safe for a terminal.
Which servers are put together is in ``group.py``, what to do next in
``next_step.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from volact.model.finding import Finding
from volact.model.report import ServerReport, Word
from volact.report.safe import plain

WORST_FIRST: tuple[Word, ...] = ("unreachable", "failed", "attention", "healthy")

MEANS: dict[Word, str] = {
    "unreachable": "could not be examined",
    "failed": "steps were applied and the closing look does not confirm them",
    "attention": "examined, and something is not right or was not allowed",
    "healthy": "as they should be",
}

ERROR_TITLES: dict[str, str] = {
    "auth": "The server refused the login",
    "connect": "No connection",
    "timeout": "No answer in time",
    "host-key": "The host key is not the known one",
    "protocol": "The answer cannot be trusted",
    "agent": "The agent could not run",
}

ERROR_NAMES: dict[str, str] = {
    "auth": "login refused",
    "connect": "no connection",
    "timeout": "no answer in time",
    "host-key": "host key not known",
    "protocol": "answer not trusted",
    "agent": "agent could not run",
}

_ORDER = {"error": 0, "warning": 1, "info": 2}
_STEP_KEYS = {"do", "because", "builds", "unless_failed"}
_HRESULT_KEYS = ("hresult", "reason", "code")


def lead(server: ServerReport) -> Finding | None:
    """The finding that says most about a server: its first error, else warning, else none."""
    ranked = sorted(server.findings, key=lambda finding: _ORDER[finding.severity])
    return ranked[0] if ranked and ranked[0].severity != "info" else None


def cause(server: ServerReport) -> str:
    """A stable word for why the server is where it is: a finding id, or ``error:kind``."""
    if server.error is not None:
        return f"error:{server.error.kind}"
    first = lead(server)
    return first.id if first else ""


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    size = abs(seconds)
    sign = "-" if seconds < 0 else ""
    if size < 60:
        return f"{sign}{size:.0f} s" if size >= 10 or size == int(size) else f"{sign}{size:.1f} s"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if size >= length:
            whole, rest = divmod(round(size / length * 10), 10)
            return f"{sign}{whole}{f'.{rest}' if rest else ''} {unit}"
    return f"{sign}{size:.0f} s"  # pragma: no cover - 60 s and more end in the loop


def days_left(expires: str | None, now: str) -> float | None:
    """Days from ``now`` to ``expires``, both ISO 8601; ``None`` when not known."""
    if not expires or not now:
        return None
    try:
        ends, at = datetime.fromisoformat(expires), datetime.fromisoformat(now)
        return (ends - at).total_seconds() / 86400
    except (ValueError, TypeError):  # not a time, or one with and one without a zone
        return None


def value(key: str, item: Any) -> str:
    """One JSON value for a person."""
    if item is None:
        return "unknown"
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, (int, float)):
        return _number(key, item)
    if isinstance(item, str):
        return plain(item) if item else "(empty)"
    return _several(key, item)


def _several(key: str, item: Any) -> str:
    if isinstance(item, (list, tuple)):
        return ", ".join(value(key, part) for part in item) or "(none)"
    if isinstance(item, Mapping):
        if key in _HRESULT_KEYS:  # a code for each of several things
            return "{" + ", ".join(f"{label(k)} {value(key, v)}" for k, v in item.items()) + "}"
        return "{" + pairs(item) + "}"
    return plain(str(item))


def _number(key: str, item: float) -> str:
    is_code = isinstance(item, int) and 0 < item <= 0xFFFFFFFF
    if is_code and (item >= 0x80000000 or (key in _HRESULT_KEYS and item > 0xFFFF)):
        return f"0x{item:08X}"
    if key.endswith("_s"):
        return duration(item)
    return str(item)


def label(key: str) -> str:
    """A JSON key for a person."""
    name = key.removesuffix("_s").removesuffix("_ms") if key not in {"_s", "_ms"} else key
    return plain(name.replace("_", " "))


def pairs(items: Mapping[str, Any]) -> str:
    """Evidence and step parameters as ``skew 5 h, current kms.example:1688``."""
    return ", ".join(f"{label(key)} {value(key, item)}" for key, item in items.items())


def step_line(step: Mapping[str, Any]) -> str:
    """One planned step: what it does and with what."""
    rest = {key: item for key, item in step.items() if key not in _STEP_KEYS and item != ""}
    if "keys" in rest:  # a table of published keys by build; the person needs its size
        rest["keys"] = f"{len(rest['keys'])} published, chosen by build and edition"
    said = pairs(rest)
    return f"{plain(str(step.get('do', '?')))}{f'  {said}' if said else ''}"


def result_line(result: Mapping[str, Any]) -> str:
    """What one step did, with its HRESULT when it has one."""
    words = "changed" if result.get("changed") else "already so"
    if not result.get("ok"):
        words = "not done"
    hresult = result.get("hresult")
    code = f" {value('hresult', hresult)}" if hresult else ""
    note = f" - {plain(str(result['note']))}" if result.get("note") else ""
    return f"{plain(str(result.get('do', '?')))}: {words}{code}{note}"


def refusal_lines(server: ServerReport) -> list[str]:
    """What was not done and why, without repeating what the first finding says anyway."""
    first = lead(server)
    said = first.summary if first else ""
    lines = []
    for refusal in server.refusals:
        reason = str(refusal.get("reason", ""))
        rest = reason.replace(said, "").strip(" :.") if said else reason
        if rest and reason != server.reason:
            lines.append(plain(rest))
    return list(dict.fromkeys(lines))


def os_words(server: ServerReport) -> str:
    """Release and edition, as short as they can be said."""
    edition = (server.os.edition or "").removeprefix("Server")
    parts = [server.os.release or "", edition]
    if not any(parts) and server.os.build:
        parts = [f"build {server.os.build}"]
    return plain(" ".join(part for part in parts if part))


def license_words(server: ServerReport, now: str) -> str:
    """The licence state and what is left of it."""
    if not server.license.status:
        return ""
    left = days_left(server.license.expires, now)
    until = "" if left is None else f", {left:.0f} d left" if left >= 0 else ", expired"
    return plain(server.license.status) + until


def compact(value_: Any) -> str:
    """A JSON value as one line of JSON, for people who want it exactly."""
    return plain(json.dumps(value_, ensure_ascii=False, separators=(", ", ": ")))
