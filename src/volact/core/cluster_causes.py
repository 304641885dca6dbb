"""What counts as a server's causes when servers are compared, and how they are told apart.

One cause once: an error that another error of the same server brings about is
no cause of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from volact.core.catalogue import CATALOGUE
from volact.model.finding import Finding
from volact.model.report import ServerReport
from volact.model.text import Text, raw, say

_ERRORS: dict[str, Text] = {
    "auth": say("The login is refused."),
    "connect": say("There is no connection."),
    "timeout": say("There is no answer in time."),
    "host-key": say("The host key is not the known one."),
    "protocol": say("The answer cannot be trusted."),
    "agent": say("The agent cannot run."),
    "busy": say("Another run is changing them."),
    "not-begun": say("The run ended before their turn."),
}
# What is brought about by any other error.
_CONSEQUENCES = frozenset(
    {"not-licensed", "activation-failed", "grace-ending", "licensed-by-other-kms"}
)


class Cause(msgspec.Struct, frozen=True):
    """A cause, what tells it from others of its kind, and the server's own sentence."""

    id: str  # a finding's id, or error:<kind>
    detail: str = ""
    sentence: str = ""

    @property
    def words(self) -> Text | None:
        """The detail as a sentence, where it says all."""
        if self.id == "kms-unreachable" and self.detail:
            port, _, why = self.detail.removeprefix("TCP ").partition(" ")
            return _unreachable(port, why)
        return None

    @property
    def meaning(self) -> Text:
        """The cause in general, with its detail."""
        if self.id.startswith("error:"):
            return _ERRORS.get(self.id.removeprefix("error:"), raw(self.id))
        entry = CATALOGUE.get(self.id)
        meaning = entry.meaning if entry else raw(self.id)
        if not self.detail:
            return meaning
        return say("{meaning} ({detail})", meaning=meaning, detail=self.detail)


def causes_of(server: ServerReport) -> Iterator[Cause]:
    """Why a server is not healthy: its errors, or its first warning; nothing where it is."""
    if server.verdict == "healthy":
        return
    if server.error is not None:
        yield Cause(f"error:{server.error.kind}")
        return
    errors = [finding for finding in server.findings if finding.severity == "error"]
    causes = [finding for finding in errors if finding.id not in _CONSEQUENCES] or errors[:1]
    if not causes:
        causes = [finding for finding in server.findings if finding.severity == "warning"][:1]
    for finding in causes:
        yield Cause(finding.id, _detail(finding), finding.summary)


def _detail(finding: Finding) -> str:
    tell = _DETAILS.get(finding.id)
    return tell(finding.evidence) if tell else ""


def _unreachable(port: str, why: str) -> Text:
    if why == "refused":
        return say("TCP {port} refused", port=port)
    return say("TCP {port} does not answer", port=port)


def _field(name: str) -> Callable[[dict[str, Any]], str]:
    def tell(evidence: dict[str, Any]) -> str:
        value = evidence.get(name)
        if isinstance(value, list | tuple):
            return ", ".join(str(item) for item in value)
        return "" if value is None else str(value)

    return tell


def _kms_unreachable(evidence: dict[str, Any]) -> str:
    """``TCP 1688 refused``."""
    host = next(iter(evidence.get("hosts", {})), "")
    return f"TCP {host.rpartition(':')[2] or '1688'} {evidence.get('why', '')}"


def _clock_skew(evidence: dict[str, Any]) -> str:
    """How far, so roughly that servers with one wrong time source are alike."""
    skew = evidence.get("skew_s", 0)
    size = abs(skew)
    side = "ahead" if skew > 0 else "behind"
    if size >= 3600:
        return f"{round(size / 3600)} h {side}"
    return f"under 1 h {side}"


_DETAILS: dict[str, Callable[[dict[str, Any]], str]] = {
    "kms-unreachable": _kms_unreachable,
    "clock-skew": _clock_skew,
    "kms-name-unresolved": _field("hosts"),
    "kms-host-wrong": _field("current"),
    "kms-port-wrong": _field("current"),
    "kms-host-set-by-policy": _field("host"),
    "licensed-by-other-kms": _field("host"),
    "kms-host-refuses": _field("code"),
    "kms-host-too-old": _field("code"),
    "token-store-damaged": _field("code"),
    "not-licensed": _field("code"),
    "activation-failed": _field("code"),
    "service-disabled": _field("services"),
    "licensing-binary-blocked": _field("why"),
    "image-not-entitled": _field("image"),
    "license-byol": _field("image"),
    "firewall-blocks-kms": _field("why"),
    "rights-lost": _field("lost"),
    "key-wrong-channel": _field("channel"),
    "edition-evaluation": _field("edition"),
}
