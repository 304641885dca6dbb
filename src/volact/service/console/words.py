"""Words that several pages share."""

from __future__ import annotations

from volact.client.wire import Role, RunInfo, RunState
from volact.model.report import Summary, count_of
from volact.model.text import Text, count, listed, say
from volact.queries.values import StatusRow
from volact.report.words import COUNTED, ERROR_NAMES, VERDICTS
from volact.service.access import Actor, Permission
from volact.words import tr

ROLES: dict[Role, Text] = {
    "viewer": say("viewer"),
    "operator": say("operator"),
    "approver": say("approver"),
    "administrator": say("administrator"),
}
STATES: dict[RunState, Text] = {
    "awaiting-approval": say("awaits approval"),
    "queued": say("queued"),
    "running": say("running"),
    "paused": say("paused"),
    "cancelling": say("cancelling"),
    "done": say("done"),
    "stopped": say("stopped by its rules"),
    "cancelled": say("cancelled"),
    "failed": say("failed"),
    "refused": say("not approved"),
}
ACTIVE: tuple[RunState, ...] = ("awaiting-approval", "queued", "running", "paused", "cancelling")
_STEERED: dict[RunState, tuple[str, ...]] = {
    "queued": ("pause", "cancel"),
    "running": ("pause", "cancel"),
    "paused": ("resume", "cancel"),
    "stopped": ("resume", "cancel", "retry"),
    "done": ("retry",),
    "cancelled": ("retry",),
    "failed": ("retry",),
}
_ENDINGS: dict[str, Text] = {
    "expired": say("expired"),
    "never": say("never ends"),
    "unlicensed": say("not licensed"),
}


def days_words(row: StatusRow) -> str:
    """What is left of a licence; empty where that is not known."""
    if row.ending in _ENDINGS:
        return tr(_ENDINGS[row.ending])
    if row.days_left is None:
        return ""
    return tr(count(round(row.days_left), "{n} day left", "{n} days left"))


def counts(summary: Summary) -> str:
    """``38 healthy, 2 failed``: what there is none of is left out."""
    some = [
        say("{n} {verdict}", n=servers, verdict=VERDICTS[word])
        for word in COUNTED
        if (servers := count_of(summary, word))
    ]
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
