"""What a request's caller may see and change: one place for pages and API.

What is outside of the caller's scopes is not found, whether it exists or not.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import (
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
)

from volact.client.inventories import InventoryInfo, InventoryUpload
from volact.client.wire import RunInfo, ScheduleInfo, ScheduleSpec, UserChange, UserInfo
from volact.errors import InputError, StoreError
from volact.inventory import Inventory
from volact.model.report import Summary
from volact.model.server import Server
from volact.queries.choices import RunCountsQuery
from volact.queries.filters import ServerFilter
from volact.queries.servers import ServerQuery, ServersQuery
from volact.queries.values import ServerState
from volact.service import inventories
from volact.service.access import Actor
from volact.service.app import BY_SESSION, Parts
from volact.service.database.tables import RUN_SERVERS
from volact.service.engine.plan import selected
from volact.service.identity import users
from volact.service.identity.audit import Change, changing
from volact.service.run_list import RunListQuery
from volact.service.schedules import store as schedules
from volact.service.views import find_view
from volact.store.values import RunRow

T = TypeVar("T")
Asked = Request[Actor, Any, State]
_ALL = ServerFilter()
_ASK_AGAIN_S = 0.5


def parts_of(request: Asked) -> Parts:
    """What handlers work with."""
    parts: Parts = request.app.state.parts
    return parts


def scopes_of(request: Asked) -> tuple[str, ...] | None:
    """The caller's scopes in the words of ``ServerFilter``; ``None``: the whole fleet."""
    scopes = request.user.scopes
    return None if scopes is None else tuple(map(str, scopes))


async def is_same_caller(request: Asked) -> bool:
    """Whether the caller of a stream that is open could open it now, with the same rights.

    Waits for a database that cannot be asked, which says neither yes nor no.
    """
    authenticator = parts_of(request).authenticator
    while True:
        try:
            return await authenticator.actor_of(request, in_use=False) == request.user
        except NotAuthorizedException:
            return False
        except StoreError:
            await asyncio.sleep(_ASK_AGAIN_S)


def within(request: Asked, filter: ServerFilter = _ALL) -> ServerFilter:
    """The filter, confined to what the caller may see."""
    return msgspec.structs.replace(filter, scopes=scopes_of(request))


def changed(request: Asked, work: Callable[[Change], T]) -> T:
    """What the work made, in one transaction with its line in the audit."""
    parts = parts_of(request)
    with changing(parts.store, parts.now(), request.user) as change:
        return work(change)


def alter_user(change: Change, id: str, to: UserChange) -> UserInfo:
    """Change a user.  A token takes rights away and gives none, or it would last for ever."""
    users.lock_users(change)  # nothing changes between the look and the change
    if change.actor.via == "token" and users.gives(users.find(change.connection, id), to):
        raise PermissionDeniedException(BY_SESSION)
    return users.alter(change, id, to)


def server_of(request: Asked, name: str) -> ServerState:
    """A server."""
    parts = parts_of(request)
    found = ServerQuery(name=name, now=parts.now(), filter=within(request)).ask(parts.store)
    if found is None:
        raise NotFoundException("there is no such server")
    return found


def seen_runs(request: Asked, **given: Any) -> RunListQuery:
    """The service's runs."""
    return RunListQuery(user=request.user.name, scopes=scopes_of(request), **given)


def run_of(request: Asked, run: str) -> RunInfo:
    """A run of the service."""
    found = seen_runs(request).find(parts_of(request).store, run)
    if found is None:
        raise NotFoundException("there is no such run")
    return found


def may_steer(request: Asked, run: RunInfo) -> bool:
    """Whether the caller reaches all servers of a run; of an own one, as its inventory has them.

    A token may be of fewer servers than a run that its owner asked for.
    """
    if request.user.scopes is None:
        return True
    store = parts_of(request).store
    if run.requested_by != request.user.name:
        return seen_runs(request).sees_all_of(store, run)
    query = sa.select(RUN_SERVERS.c.server).where(RUN_SERVERS.c.run == run.id)
    names = store.ask(lambda connection: connection.execute(query).scalars().all())
    reached = {server.name for server in inventory_servers(request, run.spec.inventory)}
    return reached.issuperset(names)


def seen_counts(request: Asked, runs: tuple[RunRow, ...]) -> dict[str, Summary]:
    """The counts of stored runs, as far as the caller may see their servers."""
    filter = within(request)
    if filter.scopes is None:
        return {run.id: run.summary for run in runs}
    return RunCountsQuery(runs=tuple(run.id for run in runs), filter=filter).ask(
        parts_of(request).store
    )


def stored_run(request: Asked, run: str) -> RunRow | None:
    """A run of the store by its whole id; the caller may see none of its servers.

    Its words and its note may name servers of others.
    """
    try:
        found = parts_of(request).store.find_run(run)
    except InputError:
        return None
    if found.id != run or request.user.scopes is None:
        return found if found.id == run else None
    return msgspec.structs.replace(found, words="", note="")


def inventory_of(request: Asked, name: str) -> InventoryInfo:
    """An inventory with what is wrong in it; of a part of the fleet, without others' lines."""
    info = parts_of(request).store.ask(lambda it: inventories.find_inventory(it, name))
    if info is None:
        raise NotFoundException("there is no such inventory")
    return _confined(request, info)


def seen_inventories(request: Asked) -> list[InventoryInfo]:
    """Every inventory, in the same way."""
    found = parts_of(request).store.ask(inventories.all_inventories)
    return [_confined(request, info) for info in found]


def _confined(request: Asked, info: InventoryInfo) -> InventoryInfo:
    if request.user.scopes is None:
        return info
    servers = len(inventory_servers(request, info.name))
    return msgspec.structs.replace(info, servers=servers, mistakes=())


def inventory_text(request: Asked, name: str) -> InventoryUpload:
    """An inventory's file."""
    found = parts_of(request).store.ask(lambda it: inventories.text_of(it, name))
    if found is None:
        raise NotFoundException("there is no such inventory")
    return found


def inventory_servers(request: Asked, name: str) -> list[Server]:
    """The servers of an inventory by name."""
    scopes, found = request.user.scopes, _read_inventory(request, name).servers
    shown = (server for server in found if inventories.in_scopes(server, scopes))
    return sorted(shown, key=lambda server: server.name)


def _read_inventory(request: Asked, name: str) -> Inventory:
    """Of all servers; empty where there is none of that name."""
    upload = parts_of(request).store.ask(lambda it: inventories.text_of(it, name))
    return inventories.read_text(upload.file, upload.text) if upload else Inventory()


def seen_schedules(request: Asked) -> list[ScheduleInfo]:
    """The schedules that may reach a server of the caller's, by name; and the caller's own."""
    return _seen(request, schedules.list_schedules(parts_of(request).store))


def schedule_of(request: Asked, id: str) -> ScheduleInfo:
    """One of them."""
    try:
        return _seen(request, [schedules.find_schedule(parts_of(request).store, id)])[0]
    except (InputError, IndexError) as error:
        raise NotFoundException("there is no such schedule") from error


def _seen(request: Asked, found: list[ScheduleInfo]) -> list[ScheduleInfo]:
    """The words of another's schedule may name servers of others, as its note does."""
    if request.user.scopes is None:
        return found
    read = functools.cache(functools.partial(_read_inventory, request))
    seen = (info for info in found if _is_own(request, info) or _reaches(request, info.spec, read))
    return [info if _is_own(request, info) else _without_names(info) for info in seen]


def _is_own(request: Asked, info: ScheduleInfo) -> bool:
    return info.owner == request.user.name


def _reaches(request: Asked, spec: ScheduleSpec, read: Callable[[str], Inventory]) -> bool:
    """Whether a run of it may have a server that the caller sees."""
    run, store = spec.run, parts_of(request).store
    try:
        meant = selected(run, read(run.inventory))
        view = find_view(store, spec.view).filter if spec.view else None
    except InputError:  # it starts nothing
        return False
    scopes = request.user.scopes
    names = {server.name for server in meant if inventories.in_scopes(server, scopes)}
    if run.only:
        names &= set(run.only)
    if names and view is not None:
        viewed = ServersQuery(now=parts_of(request).now(), filter=within(request, view))
        names &= {server.name for server in viewed.stream(store)}
    return bool(names)


def _without_names(info: ScheduleInfo) -> ScheduleInfo:
    run = msgspec.structs.replace(info.spec.run, targets=(), limit=(), only=())
    spec = msgspec.structs.replace(info.spec, run=run)
    return msgspec.structs.replace(info, spec=spec, note="")


def saving(request: Asked, name: str) -> inventories.Saving:
    """Who saves an inventory, and when."""
    return inventories.Saving(name=name, by=request.user.name, now=parts_of(request).now())
