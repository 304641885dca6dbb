"""Applications whose routes are registered once for each process of tests.

To register them takes longer than most tests that ask one.  Each test has an application
of its own: its parts, its state and its start and end are shared with no other.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

from litestar import Litestar
from litestar.datastructures import State
from litestar.events import SimpleEventEmitter

from volact.service.app import Parts
from volact.service.identity.authenticator import is_secure

Build = Callable[[Parts], Litestar]
_BUILT: dict[tuple[Build, bool], Litestar] = {}


def with_parts(build: Build, parts: Parts) -> Litestar:
    """What ``build`` makes of these parts; of the settings it reads ``is_secure`` alone."""
    key = build, is_secure(parts.settings)
    if key not in _BUILT:
        _BUILT[key] = build(parts)
    made = copy(_BUILT[key])
    made.state = State({**made.state.dict(), "parts": parts})
    made.event_emitter = SimpleEventEmitter([])
    made.asgi_router = copy(made.asgi_router)
    made.asgi_router.app = made
    return made
