"""``/inventories``: uploads, lists of clouds, what is wrong in them, their servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeVar

import sqlalchemy as sa
from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import JSONBody, PathParameter
from msgspec.structs import replace

from volact.client.inventories import (
    InventoryInfo,
    InventoryPage,
    InventoryServer,
    InventoryServerPage,
    InventorySource,
    InventoryUpload,
)
from volact.cloud.base import ApiError
from volact.errors import InputError
from volact.inventory import Inventory
from volact.queries.pages import PageRequest, decode, encode
from volact.service import inventories as kept
from volact.service.access import Permission
from volact.service.api.asked import Asked, changed, paged, parts_of
from volact.service.identity.audit import Change

T = TypeVar("T")
_READ = {"permission": Permission.READ}
_CONFIGURE = {"permission": Permission.CONFIGURE}
Name = Annotated[
    str,
    PathParameter(
        description="The inventory's name.", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100
    ),
]


def _changed(request: Asked, action: str, name: str, work: Callable[[sa.Connection], T]) -> T:
    """What the work made, with its line in the audit."""

    def told(change: Change) -> T:
        made = work(change.connection)
        change.tell(action, name)
        return made

    return changed(request, told)


def _found(request: Asked, name: str) -> InventoryInfo:
    info = parts_of(request).store.ask(lambda c: kept.find_inventory(c, name))
    if info is None:
        raise NotFoundException("there is no such inventory")
    return info


def _seen(request: Asked, info: InventoryInfo) -> InventoryInfo:
    """An inventory as the caller may see it: the count of their servers, and no others' lines."""
    if request.user.scopes is None:
        return info
    return replace(info, servers=len(_servers(request, info.name)), mistakes=())


def _servers(request: Asked, name: str) -> list[InventoryServer]:
    upload = parts_of(request).store.ask(lambda c: kept.text_of(c, name))
    read = kept.read_text(upload.file, upload.text) if upload else Inventory()
    return [
        InventoryServer(
            name=server.name,
            address=str(server.address),
            provider=server.provider,
            tags=server.tags,
            skip=server.skip,
        )
        for server in sorted(read.servers, key=lambda server: server.name)
        if kept.in_scopes(server, request.user.scopes)
    ]


@get("/inventories", opt=_READ, sync_to_thread=True, tags=["inventories"])
def inventories(request: Asked) -> InventoryPage:
    """Every inventory, with what is wrong in it."""
    found = parts_of(request).store.ask(kept.all_inventories)
    return InventoryPage(items=tuple(_seen(request, info) for info in found))


@get("/inventories/{name:str}", opt=_READ, sync_to_thread=True, tags=["inventories"])
def inventory(request: Asked, name: Name) -> InventoryInfo:
    """One inventory, with what is wrong in it."""
    return _seen(request, _found(request, name))


@get("/inventories/{name:str}/servers", opt=_READ, sync_to_thread=True, tags=["inventories"])
def inventory_servers(
    request: Asked, name: Name, page: NamedDependency[PageRequest]
) -> InventoryServerPage:
    """Its servers by name, as runs would take them."""
    _found(request, name)
    after = paged(lambda: decode(page.cursor, [str])[0]) if page.cursor else ""
    left = [server for server in _servers(request, name) if server.name > after]
    shown = left[: page.limit]
    more = encode([shown[-1].name]) if len(left) > page.limit else ""
    return InventoryServerPage(items=tuple(shown), next=more)


@get("/inventories/{name:str}/text", opt=_CONFIGURE, sync_to_thread=True, tags=["inventories"])
def inventory_text(request: Asked, name: Name) -> InventoryUpload:
    """Its file, which names where secrets are found."""
    found = parts_of(request).store.ask(lambda c: kept.text_of(c, name))
    if found is None:
        raise NotFoundException("there is no such inventory")
    return found


@put("/inventories/{name:str}", opt=_CONFIGURE, sync_to_thread=True, tags=["inventories"])
def upload(request: Asked, name: Name, data: JSONBody[InventoryUpload]) -> InventoryInfo:
    """Make or replace an inventory.  It is kept with its mistakes; a secret is refused."""
    saving = _saving(request, name)
    return _changed(
        request, "inventory.uploaded", name, lambda c: kept.save_upload(c, saving, data)
    )


def _saving(request: Asked, name: str) -> kept.Saving:
    return kept.Saving(name=name, by=request.user.name, now=parts_of(request).now())


@put("/inventories/{name:str}/source", opt=_CONFIGURE, tags=["inventories"])
async def list_from_cloud(
    request: Asked, name: Name, data: JSONBody[InventorySource]
) -> InventoryInfo:
    """Make or replace an inventory by what a cloud lists now."""
    return await _listed(request, name, data)


@post("/inventories/{name:str}/refresh", opt=_CONFIGURE, status_code=200, tags=["inventories"])
async def refresh(request: Asked, name: Name) -> InventoryInfo:
    """List the cloud of an inventory again."""
    info = await asyncio.to_thread(_found, request, name)
    return await _listed(request, name, kept.source_of(info))


async def _listed(request: Asked, name: str, wanted: InventorySource) -> InventoryInfo:
    try:
        found = await kept.list_source(wanted)
    except ApiError as error:
        raise HTTPException(status_code=502, detail=error.line()) from error

    saving = _saving(request, name)
    return await asyncio.to_thread(
        _changed,
        request,
        "inventory.listed",
        name,
        lambda c: kept.save_listed(c, saving, wanted, found),
    )


@delete("/inventories/{name:str}", opt=_CONFIGURE, sync_to_thread=True, tags=["inventories"])
def delete_inventory(request: Asked, name: Name) -> None:
    """Delete an inventory that no schedule and no open run uses."""
    _found(request, name)
    try:
        _changed(request, "inventory.deleted", name, lambda c: kept.delete_inventory(c, name))
    except InputError as error:
        raise HTTPException(status_code=409, detail=error.line()) from error


HANDLERS = [
    inventories, inventory, inventory_servers, inventory_text, upload, list_from_cloud, refresh,
    delete_inventory,
]  # fmt: skip
