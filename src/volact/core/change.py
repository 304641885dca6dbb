"""What differs between two examinations of one server, and whether it got better or worse.

Rules for every comparison: a failed examination shows nothing about the
server, so it makes nothing better or worse; swapping the two swaps better and
worse; an examination compared with itself is the same.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from volact.model.report import Verdict

# worse, better: the server itself.  changed: something else, or for better and worse.
# lost: examined then, not now.  regained: not then, now.
# gone, new: not examined in one of the runs.  The most pressing first.
ChangeKind = Literal["worse", "lost", "changed", "gone", "regained", "new", "better", "same"]
CHANGE_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)

_FIELDS = (
    "address", "verdict", "provider", "release", "edition", "status", "channel", "partial_key",
    "kms_host",
)  # fmt: skip


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What of a row is compared; small, because thousands are held at a time."""

    address: str
    verdict: Verdict
    provider: str | None = None
    release: str | None = None
    edition: str | None = None
    status: str | None = None
    channel: str | None = None
    partial_key: str | None = None
    kms_host: str | None = None
    expires: str | None = None
    errors: tuple[str, ...] = ()  # ids of findings
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    error: str | None = None  # why it could not be examined

    @property
    def examined(self) -> bool:
        """Whether this examination shows anything of the server."""
        return self.verdict != "unreachable"

    @property
    def findings(self) -> set[str]:
        """Everything that was found."""
        return {*self.errors, *self.warnings, *self.notes, *self.accepted}


class ServerChange(msgspec.Struct, frozen=True, kw_only=True):
    """Two examinations side by side; ``None`` where a run has none."""

    kind: ChangeKind
    before: Snapshot | None
    after: Snapshot | None
    appeared: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()  # what differs, beside the findings


def compare(before: Snapshot | None, after: Snapshot | None) -> ServerChange:
    """What is different between two examinations; at least one of them is there."""
    if before is None or after is None:
        kind: ChangeKind = "same" if before is after else "new" if before is None else "gone"
        return ServerChange(kind=kind, before=before, after=after)
    if not (before.examined and after.examined):
        return ServerChange(kind=_unexamined(before, after), before=before, after=after)
    appeared = tuple(sorted(after.findings - before.findings))
    resolved = tuple(sorted(before.findings - after.findings))
    fields = tuple(name for name in _FIELDS if getattr(before, name) != getattr(after, name))
    kind = _trend(before, after)
    if kind == "same" and (appeared or resolved or fields):
        kind = "changed"
    return ServerChange(
        kind=kind,
        before=before,
        after=after,
        appeared=appeared,
        resolved=resolved,
        fields=fields,
    )


def _unexamined(before: Snapshot, after: Snapshot) -> ChangeKind:
    """At least one of the examinations failed."""
    if before.examined:
        return "lost"
    if after.examined:
        return "regained"
    return "same" if before.error == after.error else "changed"


def _trend(before: Snapshot, after: Snapshot) -> ChangeKind:
    """Better or worse, by the first of three measures that differs; else changed or same."""
    was, is_ = before.verdict == "healthy", after.verdict == "healthy"
    if was != is_:
        return "better" if is_ else "worse"
    if before.status and after.status:
        licensed = before.status == "licensed", after.status == "licensed"
        if licensed[0] != licensed[1]:
            return "better" if licensed[1] else "worse"
    more = set(after.errors) - set(before.errors)
    fewer = set(before.errors) - set(after.errors)
    if more and fewer:
        return "changed"
    return "worse" if more else "better" if fewer else "same"
