"""What counts as a server's causes in comparisons of servers, and how causes are distinguished.

One cause once: an error that another error of the same server brings about is
no cause of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from volact.core.findings import BY_ID
from volact.core.findings.kind import Place
from volact.core.findings.reach import KMS_UNREACHABLE
from volact.core.main_cause import lead
from volact.model.finding import Finding
from volact.model.report import ServerReport
from volact.model.text import Text, raw, say

_ERRORS: dict[str, Text] = {
    "auth": say("Login refused."),
    "connect": say("No connection."),
    "timeout": say("No answer in time."),
    "host-key": say("Unknown host key or certificate."),
    "host-key-changed": say("Changed host key."),
    "protocol": say("Invalid answer."),
    "agent": say("The agent cannot run."),
    "busy": say("Another run is changing them."),
    "not-begun": say("Not started before the run ended."),
}


class Cause(msgspec.Struct, frozen=True):
    """A cause, what distinguishes it from others of its kind, and the server's own sentence."""

    id: str  # a finding's id, or error:<kind>
    detail: str = ""
    sentence: str = ""

    @property
    def words(self) -> Text | None:
        """The detail as a sentence, where it says all."""
        if self.id == KMS_UNREACHABLE.id and self.detail:
            port, _, why = self.detail.removeprefix("TCP ").partition(" ")
            return _unreachable(port, why)
        return None

    @property
    def meaning(self) -> Text:
        """The cause in general, with its detail."""
        if self.id.startswith("error:"):
            return _ERRORS.get(self.id.removeprefix("error:"), raw(self.id))
        kind = BY_ID.get(self.id)
        meaning = kind.meaning if kind else raw(self.id)
        if not self.detail:
            return meaning
        return say("{meaning} ({detail})", meaning=meaning, detail=self.detail)


def causes_of(server: ServerReport) -> Iterator[Cause]:
    """Why a server is not healthy: its errors, or its main finding."""
    if server.verdict in ("healthy", "not-started"):
        return
    if server.error is not None:
        yield Cause(f"error:{server.error.kind}")
        return
    errors = [finding for finding in server.findings if finding.severity == "error"]
    causes = [finding for finding in errors if not _is_consequence(finding)] or errors[:1]
    if not causes and (first := lead(server)) is not None:
        causes = [first]
    for finding in causes:
        yield Cause(finding.id, _detail(finding), finding.summary)


def _is_consequence(finding: Finding) -> bool:
    """Whether any other error brings it about."""
    kind = BY_ID.get(finding.id)
    return kind is not None and kind.place == Place.LICENCE


def _detail(finding: Finding) -> str:
    kind = BY_ID.get(finding.id)
    return kind.detail(finding.evidence) if kind and kind.detail else ""


def _unreachable(port: str, why: str) -> Text:
    if why == "refused":
        return say("TCP {port} refused", port=port)
    if why == "local":
        return say("TCP {port} does not leave the server", port=port)
    return say("TCP {port} does not answer", port=port)
