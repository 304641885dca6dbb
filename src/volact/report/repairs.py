"""What volact would repair on a server, as far as a report's row shows, and the options for it.

What a plan really has is decided in ``core.plan``; here it is about what a run may promise
that has made none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from volact.core.findings import BY_ID
from volact.core.findings.edition import (
    AZURE_EDITION_ELSEWHERE,
    RELEASE_UNSUPPORTED,
    RELEASE_WITHOUT_GVLK,
)
from volact.core.findings.entitlement import IMAGE_NOT_ENTITLED, LICENSE_BYOL
from volact.core.findings.kind import Place
from volact.core.findings.kms_host import KMS_NOT_DISCOVERED
from volact.model.finding import Finding
from volact.model.report import ServerReport
from volact.report.base import Invocation

# No repair takes these away: volact leaves the server, or its licence, as it is.
_LASTING = frozenset(
    kind.id
    for kind in (IMAGE_NOT_ENTITLED, LICENSE_BYOL, RELEASE_UNSUPPORTED, RELEASE_WITHOUT_GVLK)
)
# Findings of these places are repaired by changing the licence, by keys and by KMS hosts.
_OF_THE_LICENCE = (Place.KEY, Place.KMS_SETTING, Place.REACH, Place.LICENCE)
# Those for which Windows has to contact a KMS host.
_BY_KMS_HOST = (Place.KMS_SETTING, Place.REACH, Place.LICENCE)
# What the operator has to name first.
_NAMED = {
    AZURE_EDITION_ELSEWHERE.id: ("--provider", "azure"),
    KMS_NOT_DISCOVERED.id: ("--kms-host", "HOST"),
}


def repairs(server: ServerReport, finding: Finding) -> bool:
    """Whether this is an error that volact repairs on this server without further consent."""
    automatic = finding.repair == "automatic" and finding.severity == "error"
    return automatic and not any(_prevents(other, finding) for other in server.findings)


def _prevents(other: Finding, finding: Finding) -> bool:
    """Whether volact leaves a finding as it is because of another, which no repair takes away."""
    kind, repaired = BY_ID.get(other.id), BY_ID.get(finding.id)
    lasting = other.id in _LASTING or other.severity == "accepted"
    if kind is None or not (kind.blocks_always or (lasting and other.own_severity == "error")):
        return False
    if kind.blocks == "everything":
        return True
    blocked = {"licence": _OF_THE_LICENCE, "kms": _BY_KMS_HOST}.get(kind.blocks, ())
    return repaired is not None and repaired.place in blocked


def consent_first(server: ServerReport) -> tuple[str, ...]:
    """The options without which volact changes nothing on a server, not after a repair by hand."""
    found = (BY_ID[finding.id] for finding in _errors(server) if finding.repair == "needs-consent")
    return tuple(kind.consent for kind in found if kind.blocks == "everything")


def naming(server: ServerReport, how: Invocation) -> tuple[Invocation, tuple[str, ...]]:
    """The options that name what the repair needs, and the run without those that name another."""
    named = [_NAMED[finding.id] for finding in _errors(server) if finding.id in _NAMED]
    for option, _ in named:
        how = msgspec.structs.replace(
            how, login=_without(option, how.login), by_hand=_without(option, how.by_hand)
        )
    return how, tuple(" ".join(words) for words in named)


def _errors(server: ServerReport) -> Iterator[Finding]:
    return (f for f in server.findings if f.severity == "error" and f.id in BY_ID)


def _without(option: str, words: str) -> str:
    """The words of a command line without this option, whose value is one word."""
    return re.sub(rf"(^| ){option} \S+", "", words).strip()
