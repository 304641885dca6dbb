"""The lease of the lock that steps are sent under: its owner, its begin and end.  Pure.

How a server keeps the lock is the agent's part (``agent/source/lock.js``).
"""

from __future__ import annotations

from volact.agent.request import Lock

# Servers that share a script share its lease, so its begin is rounded to this.
_SHARED_S = 300
# For the transport and for the batch part around the script.
_SPARE_S = 15


def lock_lease(run: str, who: str, now: float, script_s: int, *, shared: bool) -> Lock:
    """The lease for one script.

    Args:
        run: the run's id.
        who: its operator, shown to another run that meets the lock.
        now: this computer's time: the only clock that no step of any run sets.
        script_s: the time limit of the script; the lease lasts about twice as long.
        shared: whether many servers get the same script.
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
