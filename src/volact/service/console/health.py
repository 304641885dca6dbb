"""Health: workers, database, versions, and what waits."""

from __future__ import annotations

from litestar import get

from volact.service.access import Permission
from volact.service.caller import Asked, parts_of, seen_runs
from volact.service.console.page import HtmlPage, page
from volact.service.health import health_of


@get("/health", opt={"permission": Permission.READ}, sync_to_thread=True)
def health(request: Asked) -> HtmlPage:
    """What works, what does not, and what waits."""
    store = parts_of(request).store
    health = health_of(store, seen_runs(request))
    return page(request, "health.html.j2", health=health, database=store.address.shown)


HANDLERS = (health,)
