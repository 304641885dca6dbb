"""Words that several pages share."""

from __future__ import annotations

from typing import Any

import msgspec

from volact.client.answers import WaveState
from volact.client.wire import Role, RunInfo, RunState, Weekday
from volact.model.report import Summary
from volact.model.text import Text, count, listed, say
from volact.queries.values import StatusRow
from volact.report.store_reports.status_text import ENDS
from volact.report.words import ERROR_NAMES, VERDICTS, verdict_counts
from volact.service.access import Actor, Permission
from volact.words import tr

ROLES: dict[Role, Text] = {
    "viewer": say("viewer"),
    "operator": say("operator"),
    "approver": say("approver"),
    "administrator": say("administrator"),
}
WAVES: dict[WaveState, Text] = {
    "waiting": say("waiting"),
    "running": say("at work"),
    "done": say("done"),
    "halted": say("not finished"),
}
DAYS: dict[Weekday, Text] = {
    "mon": say("Monday"),
    "tue": say("Tuesday"),
    "wed": say("Wednesday"),
    "thu": say("Thursday"),
    "fri": say("Friday"),
    "sat": say("Saturday"),
    "sun": say("Sunday"),
}
ACTIVE: tuple[RunState, ...] = ("awaiting-approval", "queued", "running", "paused", "cancelling")
HALTED: tuple[RunState, ...] = ("stopped", "cancelled", "failed", "refused")
_STEERED: dict[RunState, tuple[str, ...]] = {
    "queued": ("pause", "cancel"),
    "running": ("pause", "cancel"),
    "paused": ("resume", "cancel"),
    "stopped": ("resume", "cancel", "retry"),
    "done": ("retry",),
    "cancelled": ("retry",),
    "failed": ("retry",),
}


def days_words(row: StatusRow) -> str:
    """What is left of a licence; empty where that is not known."""
    if row.ending in ("expired", "never", "unlicensed"):
        return tr(ENDS[row.ending])
    if row.days_left is None:
        return ""
    return tr(count(round(row.days_left), "{n} day left", "{n} days left"))


def counts(summary: Summary) -> str:
    """``38 healthy, 2 failed``: what there is none of is left out."""
    some = verdict_counts(summary)
    return tr(listed(some)) if some else ""


def verdict_words() -> dict[str, str]:
    """The verdicts in the reader's language."""
    return {str(word): tr(text) for word, text in VERDICTS.items()}


def cause_words() -> dict[str, str]:
    """The causes that are no findings."""
    return {f"error:{kind}": tr(text) for kind, text in ERROR_NAMES.items()}


def actions_of(run: RunInfo, actor: Actor) -> tuple[str, ...]:
    """What the caller may do about a run in its state."""
    if run.state == "awaiting-approval":
        second = actor.may(Permission.APPROVE) and run.requested_by != actor.name
        own = actor.may(Permission.RUN)
        return ("approve", "refuse") * second + ("cancel",) * own
    if not actor.may(Permission.RUN):
        return ()
    all_healthy = run.counts.get("healthy", 0) >= run.servers
    return tuple(word for word in _STEERED.get(run.state, ()) if word != "retry" or not all_healthy)


POLICIES: dict[str, Text] = {
    "approvals": say("Which runs need a second person"),
    "repairs": say("What schedules may repair"),
    "retention": say("How long things are kept"),
    "notifications": say("Who is told of changes"),
}
_POLICY_LABELS: dict[str, Text] = {
    "verbs": say("verbs"),
    "tags": say("a server with one of these tags"),
    "providers": say("a server of one of these providers"),
    "most_servers": say("more servers than"),
    "consents": say("a run that allows one of these"),
    "repairs.consents": say("what a schedule may allow"),
    "allowed": say("schedules may repair"),
    "canary": say("canaries of a schedule that names none"),
    "max_failures": say("failures after which such a schedule stops"),
    "needs_approval": say("each repair waits for a person"),
    "runs": say("runs, such as 180d; empty: for ever"),
    "least_runs": say("newest runs that stay at any age"),
    "facts": say("facts, such as 30d; empty: for ever"),
    "channels": say("variables that hold the URLs of channels"),
    "expiring": say("a licence that ends within"),
}


def policy_label(kind: str, name: str) -> str:
    """What a field of a policy is called in its form."""
    told = tr(_POLICY_LABELS.get(f"{kind}.{name}") or _POLICY_LABELS[name])
    return told[:1].upper() + told[1:]


def detail_words(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """What the audit has of a change; of what was asked as a whole, without what is empty."""
    found: list[tuple[str, str]] = []
    for key, value in detail.items():
        if isinstance(value, dict):
            found += detail_words({name: item for name, item in value.items() if item})
        else:
            text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            found.append((key, text))
    return found
