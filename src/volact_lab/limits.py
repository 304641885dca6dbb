"""How many sockets a process may have open, where the system lets it be asked."""

from __future__ import annotations

from importlib import import_module

from volact.errors import InputError

_PER_SERVER = 4  # a listener, a connection, and what a running agent opens
_SPARE = 200


def allow_many_sockets(servers: int) -> None:
    """Raise the soft limit for a fleet; InputError when the hard one is too low."""
    try:
        resource = import_module("resource")
    except ImportError:
        return  # Windows has no such limit
    wanted = servers + min(servers, 2000) * (_PER_SERVER - 1) + _SPARE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < servers + _SPARE:
        raise InputError(
            f"{servers} servers need more open sockets than the {hard} that are allowed",
            "raise the limit (ulimit -n) or ask for fewer servers",
        )
    top = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < top:
        resource.setrlimit(resource.RLIMIT_NOFILE, (top, hard))
