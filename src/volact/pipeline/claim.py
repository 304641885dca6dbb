"""The lock that steps are sent under: whose they are, and how long it may stand.  Pure.

How a server keeps it is the agent's affair (``agent/source/lock.js``).
"""

from __future__ import annotations

from volact.agent.request import Lock

# Servers that share a script share its lock: the same for all that begin together.
_SHARED_S = 300
# For the way there and for the batch part around the script.
_SPARE_S = 15


def claim(run: str, who: str, now: float, script_s: int, *, shared: bool) -> Lock:
    """The lock of a script that begins within its time and then lasts no longer than that.

    ``now`` is this computer's clock: the only one that no step of any run sets.
    """
    begin = now // _SHARED_S * _SHARED_S if shared else now
    life = 2 * script_s + _SPARE_S + (_SHARED_S if shared else 0)
    return Lock(
        run=_plain(run, 64).replace(" ", "-") or "-",
        who=_plain(who, 80) or "-",
        since=int(begin * 1000),
        until=int((begin + life) * 1000),
    )


def _plain(text: str, most: int) -> str:
    return "".join(char for char in text if " " <= char <= "~").strip()[:most]
