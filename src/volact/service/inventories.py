"""The service's inventories: their texts are in the database, read anew for every use.

A text is kept with its mistakes, which runs refuse.  What is never kept is a secret in clear;
and programs that an inventory names are a mistake, because they would run as the service.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from volact.client.inventories import (
    InventoryInfo,
    InventoryMistake,
    InventorySource,
    InventoryUpload,
)
from volact.errors import InputError
from volact.fleet.prepare import check_commands
from volact.inventory import Inventory, read_inventory
from volact.inventory.cloud_list import ListSource, list_servers, parse_filters, parse_source
from volact.inventory.export import export
from volact.model.server import Server
from volact.model.text import raw, say
from volact.service.access import Scope
from volact.service.clear_secrets import refuse_secrets
from volact.service.database.tables import INVENTORIES, RUNS, SCHEDULES
from volact.store.clock import moment

_MOST_MISTAKES = 100
_OVER = ("done", "stopped", "cancelled", "failed", "refused")


def stored_text(connection: sa.Connection, name: str) -> tuple[str, str]:
    """File name and text of an inventory, for ``read_whole``; ``InputError`` for none.

    A large inventory is read for seconds, which is no time for a transaction.
    """
    found = text_of(connection, name)
    if found is None:
        raise InputError(say("there is no inventory {name}", name=raw(name)))
    return found.file, found.text


def read_whole(file: str, text: str) -> Inventory:
    """An inventory's text; ``InputError`` for a wrong one."""
    inventory = read_text(file, text)
    if inventory.problems:
        raise inventory.problems[0]
    return inventory


def read_text(file: str, text: str) -> Inventory:
    """An inventory's text as far as it can be read; what is wrong is in its problems."""
    with TemporaryDirectory(prefix="volact-") as folder:
        path = Path(folder) / file
        path.write_text(text, "utf-8")
        read = read_inventory(path)
        problems = [*read.problems]
        for server in read.servers:
            problems += _not_for_a_service(read, server, folder)
        told = tuple({(p := _without(folder, problem)).line(): p for problem in problems}.values())
        return replace(read, path=file, problems=told)


def _not_for_a_service(inventory: Inventory, server: Server, folder: str) -> Iterator[InputError]:
    """Programs, and files beside an inventory that has none beside it."""
    try:
        check_commands(replace(inventory, foreign=True), [server])
    except InputError as error:
        yield InputError(error.what, where=error.where)  # the hint is for the command line
    login = server.credential
    paths = (
        *(login.password_file, login.passphrase_file, login.certificate_file, *login.key_files),
        *(login.certificate_key_file, server.known_hosts, *server.ssh.jump_key_files),
        *(server.winrm.ca_file, server.ssh.config or ""),
    )
    for path in paths:
        if path.startswith(f"{folder}/"):
            yield InputError(
                say("{path} is relative", path=raw(path[len(folder) + 1 :])),
                say("write the whole path of the file on the workers"),
                where=inventory.where(server),
            )


def _without(folder: str, error: InputError) -> InputError:
    """The same error without the folder of the moment."""
    cut = f"{folder}/"
    return InputError(
        error.what.replace(cut, ""), error.hint.replace(cut, ""), where=error.where.replace(cut, "")
    )


class Saving(msgspec.Struct, frozen=True, kw_only=True):
    """Under which name an inventory is kept, by which user, when."""

    name: str
    by: str
    now: datetime


def save_upload(
    connection: sa.Connection, saving: Saving, upload: InventoryUpload
) -> InventoryInfo:
    """Keep a text, with its mistakes; ``InputError`` for one that holds a secret."""
    inventory = read_text(upload.file, upload.text)
    refuse_secrets(upload, inventory)
    values = {"file": upload.file, "text": upload.text, "source": "", "filters": "[]"}
    return _save(connection, saving, inventory, values)


async def list_source(wanted: InventorySource) -> Inventory:
    """What a cloud lists now; ``InputError`` for what can be mended, ``ApiError`` else."""
    cloud, scopes = parse_source(wanted.source)
    via = wanted.via or cloud.scheme
    if via not in (cloud.scheme, "ssh", "winrm"):
        raise InputError(
            say("via {via}: not for {title}", via=via, title=cloud.title),
            say("one of {known}", known=f"{cloud.scheme}, ssh, winrm"),
        )
    filters = parse_filters(cloud, wanted.filters)
    return await list_servers(ListSource(cloud=cloud, scopes=scopes, filters=filters, via=via))


def save_listed(
    connection: sa.Connection, saving: Saving, wanted: InventorySource, inventory: Inventory
) -> InventoryInfo:
    """Keep what a cloud listed, as the text of a file."""
    text = export(inventory.servers, inventory.images, "toml").text
    values = {
        "file": f"{saving.name}.toml",
        "text": text,
        "source": f"{wanted.source} via {wanted.via}" if wanted.via else wanted.source,
        "filters": msgspec.json.encode(wanted.filters).decode(),
    }
    return _save(connection, saving, inventory, values)


def source_of(info: InventoryInfo) -> InventorySource:
    """What is listed for an inventory; ``InputError`` for one that was uploaded."""
    if not info.source:
        raise InputError(
            say("{name} was uploaded, so there is nothing to list", name=raw(info.name))
        )
    source, _, via = info.source.partition(" via ")
    return InventorySource(source=source, filters=info.filters, via=via)


def _save(
    connection: sa.Connection, saving: Saving, inventory: Inventory, values: dict[str, str]
) -> InventoryInfo:
    mistakes = [
        InventoryMistake(message=error.what, hint=error.hint, where=error.where)
        for error in inventory.problems[:_MOST_MISTAKES]
    ]
    row = {
        **values,
        "servers": len(inventory.servers),
        "mistakes": msgspec.json.encode(mistakes, enc_hook=str).decode(),
        "updated_by": saving.by,
        "updated": moment(saving.now),
    }
    changed = sa.update(INVENTORIES).where(INVENTORIES.c.name == saving.name).values(row)
    if not connection.execute(changed).rowcount:
        connection.execute(sa.insert(INVENTORIES).values(name=saving.name, **row))
    found = find_inventory(connection, saving.name)
    assert found is not None
    return found


def find_inventory(connection: sa.Connection, name: str) -> InventoryInfo | None:
    """One inventory, without its text."""
    found = _infos(connection, INVENTORIES.c.name == name)
    return found[0] if found else None


def all_inventories(connection: sa.Connection) -> list[InventoryInfo]:
    """Every inventory by name, without its text."""
    return _infos(connection, sa.true())


_SHOWN = [INVENTORIES.c[name] for name in InventoryInfo.__struct_fields__]


def _infos(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[InventoryInfo]:
    rows = connection.execute(sa.select(*_SHOWN).where(where).order_by(INVENTORIES.c.name))
    return [msgspec.convert(_decoded(row), InventoryInfo) for row in rows]


def _decoded(row: Sequence[Any]) -> dict[str, Any]:
    values = dict(zip(InventoryInfo.__struct_fields__, row, strict=True))
    lists = {key: msgspec.json.decode(values[key]) for key in ("filters", "mistakes")}
    return {**values, **lists}


def text_of(connection: sa.Connection, name: str) -> InventoryUpload | None:
    """An inventory's file."""
    query = sa.select(INVENTORIES.c.file, INVENTORIES.c.text).where(INVENTORIES.c.name == name)
    row = connection.execute(query).one_or_none()
    return None if row is None else InventoryUpload(file=row.file, text=row.text)


def delete_inventory(connection: sa.Connection, name: str) -> None:
    """Delete one; ``InputError`` while a run or a schedule needs it."""
    runs = connection.execute(sa.select(RUNS.c.spec).where(RUNS.c.state.not_in(_OVER))).scalars()
    if any(msgspec.json.decode(spec)["inventory"] == name for spec in runs):
        raise InputError(say("{name} is used by a run that is not over", name=raw(name)))
    plans = connection.execute(sa.select(SCHEDULES.c.name, SCHEDULES.c.spec))
    for schedule, spec in plans:
        if msgspec.json.decode(spec)["run"]["inventory"] == name:
            told = say("{name} is used by {what}", name=raw(name), what=raw(schedule))
            raise InputError(told, say("delete the schedule first"))
    connection.execute(sa.delete(INVENTORIES).where(INVENTORIES.c.name == name))


def in_scopes(server: Server, scopes: tuple[Scope, ...] | None) -> bool:
    """Whether a server is of the part of the fleet that these scopes are."""
    return scopes is None or any(
        scope.value in server.tags
        if scope.kind == "tag"
        else f"{server.provider}/".startswith(f"{scope.value}/")
        for scope in scopes
    )
