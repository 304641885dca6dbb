"""``/inventories``: uploads, lists of clouds, what is wrong in them, their servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeVar

import sqlalchemy as sa
from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import JSONBody, PathParameter

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
from volact.queries.pages import PageRequest, decode, encode
from volact.service import inventories as kept
from volact.service.access import Permission
from volact.service.api.asked import paged
from volact.service.caller import (
    Asked,
    changed,
    inventory_of,
    inventory_servers,
    inventory_text,
    saving,
    seen_inventories,
)
from volact.service.identity.audit import Change

T = TypeVar("T")
_READ = {"permission": Permission.READ}
_CONFIGURE = {"permission": Permission.CONFIGURE}
InventoryName = Annotated[
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


@get("/inventories", opt=_READ, sync_to_thread=True, tags=["inventories"])
def inventories(request: Asked) -> InventoryPage:
    """Every inventory, with what is wrong in it."""
    return InventoryPage(items=tuple(seen_inventories(request)))


@get("/inventories/{name:str}", opt=_READ, sync_to_thread=True, tags=["inventories"])
def inventory(request: Asked, name: InventoryName) -> InventoryInfo:
    """One inventory, with what is wrong in it."""
    return inventory_of(request, name)


@get("/inventories/{name:str}/servers", opt=_READ, sync_to_thread=True, tags=["inventories"])
def list_inventory_servers(
    request: Asked, name: InventoryName, page: NamedDependency[PageRequest]
) -> InventoryServerPage:
    """Its servers by name, as runs would take them."""
    inventory_of(request, name)
    after = paged(lambda: decode(page.cursor, [str])[0]) if page.cursor else ""
    left = [server for server in inventory_servers(request, name) if server.name > after]
    shown = [
        InventoryServer(
            name=server.name,
            address=str(server.address),
            provider=server.provider,
            tags=server.tags,
            skip=server.skip,
        )
        for server in left[: page.limit]
    ]
    more = encode([shown[-1].name]) if len(left) > page.limit else ""
    return InventoryServerPage(items=tuple(shown), next=more)


@get("/inventories/{name:str}/text", opt=_CONFIGURE, sync_to_thread=True, tags=["inventories"])
def read_inventory_text(request: Asked, name: InventoryName) -> InventoryUpload:
    """Its file, which names where secrets are found."""
    return inventory_text(request, name)


@put("/inventories/{name:str}", opt=_CONFIGURE, sync_to_thread=True, tags=["inventories"])
def upload(request: Asked, name: InventoryName, data: JSONBody[InventoryUpload]) -> InventoryInfo:
    """Make or replace an inventory.  It is kept with its mistakes; a secret is refused."""
    by = saving(request, name)
    return _changed(request, "inventory.uploaded", name, lambda c: kept.save_upload(c, by, data))


@put("/inventories/{name:str}/source", opt=_CONFIGURE, tags=["inventories"])
async def list_from_cloud(
    request: Asked, name: InventoryName, data: JSONBody[InventorySource]
) -> InventoryInfo:
    """Make or replace an inventory by what a cloud lists now."""
    return await _listed(request, name, data)


@post("/inventories/{name:str}/refresh", opt=_CONFIGURE, status_code=200, tags=["inventories"])
async def refresh(request: Asked, name: InventoryName) -> InventoryInfo:
    """List the cloud of an inventory again."""
    info = await asyncio.to_thread(inventory_of, request, name)
    return await _listed(request, name, kept.source_of(info))


async def _listed(request: Asked, name: str, wanted: InventorySource) -> InventoryInfo:
    try:
        found = await kept.list_source(wanted)
    except ApiError as error:
        raise HTTPException(status_code=502, detail=error.line()) from error

    by = saving(request, name)
    return await asyncio.to_thread(
        _changed,
        request,
        "inventory.listed",
        name,
        lambda c: kept.save_listed(c, by, wanted, found),
    )


@delete("/inventories/{name:str}", opt=_CONFIGURE, sync_to_thread=True, tags=["inventories"])
def delete_inventory(request: Asked, name: InventoryName) -> None:
    """Delete an inventory that no schedule and no open run uses."""
    inventory_of(request, name)
    try:
        _changed(request, "inventory.deleted", name, lambda c: kept.delete_inventory(c, name))
    except InputError as error:
        raise HTTPException(status_code=409, detail=error.line()) from error


HANDLERS = [
    inventories, inventory, list_inventory_servers, read_inventory_text, upload, list_from_cloud,
    refresh, delete_inventory,
]  # fmt: skip
