"""Inventories: what there is, what is wrong in it, uploads and lists of clouds."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Any

import msgspec
import sqlalchemy as sa
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from volact.client.inventories import InventoryInfo, InventorySource, InventoryUpload
from volact.cloud.base import ApiError
from volact.errors import InputError
from volact.inventory import Inventory
from volact.model.error_text import error_text
from volact.model.text import raw, say
from volact.service import inventories as kept
from volact.service.access import Permission
from volact.service.caller import (
    Asked,
    inventory_of,
    inventory_servers,
    inventory_text,
    parts_of,
    saving,
    seen_inventories,
)
from volact.service.clear_secrets import ClearSecretError, refuse_secrets
from volact.service.console.changing import (
    StaleFormError,
    change,
    changed,
    check_mark,
    checked,
    locked,
    mark_of,
)
from volact.service.console.once import once
from volact.service.console.page import Form, HtmlPage, RefusedForm, form_of, go_to, page
from volact.service.database.tables import INVENTORIES
from volact.service.identity.audit import Change
from volact.store.tables import SERVERS

_READ = {"permission": Permission.READ}
_CONFIGURE = {"permission": Permission.CONFIGURE}
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_UNFIT = re.compile(r"[^A-Za-z0-9_. \0-]")  # a NUL stays, and is refused


class _Unsaved(RefusedForm, frozen=True, kw_only=True):
    """Why the editor saved nothing, and its text: none where that holds a secret."""

    text: str = ""
    mark: str = ""


@get("/inventories", opt=_READ, sync_to_thread=True)
def inventories(request: Asked) -> HtmlPage:
    """All of them, and the forms for another."""
    return _inventories(request)


def _inventories(
    request: Asked, refused: RefusedForm | None = None, listing: Form | None = None
) -> HtmlPage:
    """The page; ``listing`` is the form of a cloud's list that was refused."""
    return page(
        request,
        "inventories.html.j2",
        refused=refused,
        inventories=seen_inventories(request),
        unsaved=refused.text if isinstance(refused, _Unsaved) else "",
        listing=listing or Form({}),
    )


@get("/inventories/{name:str}", opt=_READ, sync_to_thread=True)
def inventory(request: Asked, name: FromPath[str]) -> HtmlPage:
    """One: what is wrong in it, and its servers."""
    return _inventory(request, name)


def _inventory(request: Asked, name: str, refused: _Unsaved | None = None) -> HtmlPage:
    store, info = parts_of(request).store, inventory_of(request, name)
    servers = inventory_servers(request, name)
    shown = servers[:200]
    names = sa.select(SERVERS.c.name).where(SERVERS.c.name.in_([one.name for one in shown]))
    return page(
        request,
        "inventory.html.j2",
        refused=refused,
        info=info,
        mistakes=info.mistakes,
        servers=shown,
        more=len(servers) - len(shown),
        examined={*store.ask(lambda connection: connection.execute(names).scalars().all())},
        **_editor(request, info, refused),
    )


def _editor(request: Asked, info: InventoryInfo, refused: _Unsaved | None) -> dict[str, Any]:
    """What the editor holds, with the mark of that, and what is shown beside it."""
    if refused and refused.text and refused.code == 400 and not info.source:
        return {"text": refused.text, "mark": refused.mark, "unsaved": ""}
    configures = request.user.may(Permission.CONFIGURE)
    upload = inventory_text(request, info.name) if configures else None
    text, unsaved = upload.text if upload else "", refused.text if refused else ""
    return {"text": text, "mark": mark_of(upload), "unsaved": unsaved}


@post("/inventories", opt=_CONFIGURE, request_max_body_size=10 * 1024 * 1024)
async def upload(request: Asked) -> Response[Any]:
    """Keep a file, or the text of one."""
    sent, form = await request.form(), await form_of(request)
    file, text = sent.get("file"), str(sent.get("text") or "")
    named = str(sent.get("named") or "inventory.toml")
    if isinstance(file, UploadFile) and file.filename:
        named, text = file.filename, _text_of(await file.read())
    name = _checked_name(str(sent.get("name") or "").strip() or named)
    given = InventoryUpload(file=_file_name(named) if file else named, text=text)

    def work(change: Change) -> None:
        if not text:
            raise InputError(say("the file is empty"))
        made = checked(InventoryUpload, msgspec.structs.asdict(given))
        locked(change, INVENTORIES, INVENTORIES.c.name == name)
        before = kept.text_of(change.connection, name)
        kept.save_upload(change.connection, saving(request, name), made)  # refuses secrets first
        if form.all("mark") and before is not None:  # one that was deleted meanwhile is made again
            check_mark(form, before)
        change.tell("inventory.uploaded", name)

    async def led() -> str:
        await change(request, work)
        return f"/inventories/{name}"

    try:
        return go_to((await once(request, form, led))[0])
    except InputError as error:
        if not form.all("mark"):
            raise
        refused = await asyncio.to_thread(_unsaved, form, given, error)
        return await asyncio.to_thread(_again, request, name, refused)


def _text_of(file: bytes) -> str:
    """A file's text.  With a NUL, as UTF-16 has without its mark, no database keeps it."""
    with suppress(UnicodeDecodeError):
        text = file.decode("utf-8-sig")
        if "\0" not in text:
            return text
    raise InputError(say("the file is no text in UTF-8"))


def _unsaved(form: Form, given: InventoryUpload, error: InputError) -> _Unsaved:
    """No text that holds a secret is shown again, also where it was refused for another reason."""
    code = 409 if isinstance(error, StaleFormError) else 400
    problem = error_text(error)
    try:
        refuse_secrets(given, Inventory())
        if not isinstance(error, ClearSecretError):
            mark = form.text("mark")
            return _Unsaved(problem=problem, code=code, text=given.text, mark=mark)
    except ClearSecretError:
        pass
    said = say(
        "{problem}. Your text is not shown again, because it holds a secret", problem=problem
    )
    return _Unsaved(problem=said, code=code)


def _again(request: Asked, name: str, refused: _Unsaved) -> HtmlPage:
    """The page of the inventory; where that was deleted meanwhile, the list."""
    try:
        return _inventory(request, name, refused)
    except NotFoundException:
        return _inventories(request, refused)


def _checked_name(name: str) -> str:
    if not name or not {*name} <= _NAME or name[0] in "._-" or len(name) > 100:
        raise InputError(
            say("{name} is no name of an inventory", name=raw(repr(name[:100]))),
            say("use letters, digits, dots and dashes"),
        )
    return name


def _file_name(name: str) -> str:
    """A file's name as one is kept, with its end, which shows the format."""
    name = _UNFIT.sub("_", name)[-199:]
    return f"_{name}" if name[:1] in {".", " ", "-"} else name


@post("/inventories/from", opt=_CONFIGURE)
async def list_from_cloud(request: Asked) -> Response[Any]:
    """Keep what a cloud lists now."""
    form = await form_of(request)
    values = {"source": form.text("source"), "via": form.text("via")}
    filters = form.text("filters").split()
    try:
        wanted = checked(InventorySource, {**values, "filters": filters})
        return await _listed(request, _checked_name(form.text("name")), wanted)
    except InputError as error:
        refused = RefusedForm(problem=error_text(error), form=form)
        return await asyncio.to_thread(_inventories, request, refused, form)


@post("/inventories/{name:str}/refresh", opt=_CONFIGURE)
async def refresh(request: Asked, name: FromPath[str]) -> Response[Any]:
    """List the cloud again."""
    info = await asyncio.to_thread(inventory_of, request, name)
    return await _listed(request, name, kept.source_of(info))


async def _listed(request: Asked, name: str, wanted: InventorySource) -> Response[Any]:
    try:
        found = await kept.list_source(wanted)
    except ApiError as error:
        raise InputError(error.message, error.hint) from error

    def work(change: Change) -> None:
        kept.save_listed(change.connection, saving(request, name), wanted, found)
        change.tell("inventory.listed", name)

    await change(request, work)
    return go_to(f"/inventories/{name}")


@post("/inventories/{name:str}/delete", opt=_CONFIGURE)
async def delete_inventory(request: Asked, name: FromPath[str]) -> Response[Any]:
    """Delete one that no run and no schedule needs."""

    def work(change: Change, _: Any) -> None:
        kept.delete_inventory(change.connection, name)
        change.tell("inventory.deleted", name)

    await changed(request, work)
    return go_to("/inventories")


HANDLERS = (inventories, inventory, upload, list_from_cloud, refresh, delete_inventory)
