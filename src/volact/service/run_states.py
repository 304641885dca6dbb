"""What the states of a run are called."""

from __future__ import annotations

from volact.client.wire import RunState
from volact.model.text import Text, say

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


def state_text(state: RunState) -> Text:
    """A state as a part of a sentence: its own word in English, which callers of the API read."""
    return Text(state, STATES[state].template)
