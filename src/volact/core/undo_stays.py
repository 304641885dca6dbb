"""What of a run has no way back, and why.

Sentences only.  What has a way back is in ``undo_settings``.
"""

from __future__ import annotations

from collections.abc import Callable

from volact.model.text import Text, say
from volact.model.undo import Deed, Left


def stays(deed: Deed) -> Left | None:
    """What this step did that stays as it is; ``None`` when it did nothing that lasts."""
    result = deed.result
    if result is not None and not result.changed:
        return None
    why = _WHY.get(deed.do)
    if why is None:
        return None
    return Left(do=deed.do, what=deed.do, reason=why(deed), possible=False)


def _key(deed: Deed) -> Text:
    tail = deed.before.get("partial_key")
    if not isinstance(tail, str):
        return say("the key that was installed stays: volact takes no key away")
    return say(
        "of the key before only the last five characters are known ({tail}): "
        "a whole key is never read or kept",
        tail=tail,
    )


def _store(deed: Deed) -> Text:
    path = deed.before.get("path")
    if not isinstance(path, str):
        return say("the licence store made anew stays; the old one is beside it as tokens.bar")
    return say(
        "the licence store made anew stays; the old one is kept as {path}",
        path=f"{path}\\tokens.bar",
    )


_WHY: dict[str, Callable[[Deed], Text]] = {
    "start-service": lambda deed: say(
        "the service {name} keeps running; only its start mode is put back",
        name=deed.params.get("name", ""),
    ),
    "sync-clock": lambda deed: say("the clock is not set wrong again"),
    "install-key": _key,
    "activate": lambda deed: say("an activation stays until it ends by itself"),
    "rearm": lambda deed: say("a rearm is used up, and the machine ID stays a new one"),
    "rebuild-token-store": _store,
    "restore-time-limits": lambda deed: say(
        "the limits of Windows Time are as they were before an earlier run: they stay so"
    ),
}
