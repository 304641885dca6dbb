"""The fleet as a whole, findings and codes, the caller (``/me``), the service (``/health``)."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from volact.client.answers import FilterValues, FindingInfo, FindingList, Health, Me
from volact.core.explain import Explanation
from volact.core.explain import explain as look_up
from volact.core.findings import BY_ID
from volact.knowledge.load import load_errors
from volact.queries.choices import ChoicesQuery
from volact.queries.expiring import ExpiringQuery
from volact.queries.filters import ServerFilter
from volact.queries.servers import ServersQuery
from volact.queries.status import StatusQuery
from volact.queries.values import Endings, FleetStatus
from volact.service.access import Permission
from volact.service.api.asked import found, shared
from volact.service.caller import Asked, parts_of, scopes_of, seen_runs, within
from volact.service.health import health_of

_READ = {"permission": Permission.READ}
Days = Annotated[float, QueryParameter(ge=0, le=36500, description="Days.")]


@get("/fleet", opt=_READ, tags=["fleet"])
async def fleet(
    request: Asked, chosen: NamedDependency[ServerFilter], stale_days: Days = 7
) -> Response[FleetStatus]:
    """The servers that the filters mean in numbers, and what those in trouble have in common."""
    parts = parts_of(request)
    stale = timedelta(days=stale_days)

    def make() -> FleetStatus:
        return StatusQuery(now=parts.now(), filter=chosen, stale=stale).ask(parts.store)

    return await shared(request, make)


@get("/fleet/values", opt=_READ, tags=["fleet"])
async def values(request: Asked, chosen: NamedDependency[ServerFilter]) -> Response[FilterValues]:
    """The values that can be filtered by, each with its number of servers."""
    parts = parts_of(request)

    def make() -> FilterValues:
        found = ChoicesQuery(now=parts.now(), filter=chosen).ask(parts.store)
        counts = {name: dict(getattr(found, name)) for name in found.__struct_fields__}
        return FilterValues(**counts)

    return await shared(request, make)


@get("/expiring", opt=_READ, sync_to_thread=True, tags=["fleet"])
def expiring(
    request: Asked, chosen: NamedDependency[ServerFilter], within_days: Days = 30
) -> Endings:
    """Licences that end soon, have expired or are overdue."""
    parts = parts_of(request)
    within = timedelta(days=within_days)
    return ExpiringQuery(now=parts.now(), within=within, filter=chosen).ask(parts.store)


@get("/findings", opt=_READ, sync_to_thread=True, tags=["findings"])
def findings(request: Asked) -> FindingList:
    """Every kind of finding, and how many servers have it, by their newest examination."""
    parts = parts_of(request)
    query = ServersQuery(now=parts.now(), filter=within(request))
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for each in query.findings(parts.store):
        counts[each.finding][each.severity] = each.servers
    made = [
        FindingInfo(id=id, meaning=kind.meaning, action=kind.action, servers=counts.get(id, {}))
        for id, kind in BY_ID.items()
    ]
    made.sort(key=lambda info: (-sum(info.servers.values()), info.id))
    return FindingList(items=tuple(made))


@get("/explain/{code:str}", opt=_READ, sync_to_thread=True, tags=["findings"])
def explain(
    request: Asked,
    code: Annotated[
        str, PathParameter(description="An error code, event id or finding.", max_length=255)
    ],
) -> Explanation:
    """What a code, an event or a finding means, and what to do about it."""
    return found(lambda: look_up(code, load_errors()))


@get("/me", opt={"permission": Permission.SIGNED_IN}, sync_to_thread=False, tags=["me"])
def me(request: Asked) -> Me:
    """The caller."""
    actor = request.user
    return Me(
        user=actor.user,
        name=actor.name,
        role=actor.role,
        permissions=tuple(each.value for each in Permission if actor.may(each)),
        scopes=scopes_of(request),
        via=actor.via,
        language=actor.language,
    )


@get("/health", opt=_READ, sync_to_thread=True, tags=["health"])
def health(request: Asked) -> Health:
    """The workers, and how many runs are in each state, of those that the caller sees."""
    return health_of(parts_of(request).store, seen_runs(request))


HANDLERS = [fleet, values, expiring, findings, explain, me, health]
