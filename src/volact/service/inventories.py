"""The service's inventories: their texts are in the database."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from volact.errors import InputError
from volact.inventory import Inventory, load_inventory
from volact.model.text import raw, say
from volact.service.database.tables import INVENTORIES


def load_inventory_text(connection: sa.Connection, name: str) -> Inventory:
    """The inventory of that name, read anew; ``InputError`` for none or a wrong one."""
    columns = (INVENTORIES.c.file, INVENTORIES.c.text)
    row = connection.execute(sa.select(*columns).where(INVENTORIES.c.name == name)).one_or_none()
    if row is None:
        raise InputError(say("there is no inventory {name}", name=raw(name)))
    with TemporaryDirectory(prefix="volact-") as folder:
        path = Path(folder) / (Path(row.file).name or "inventory.toml")
        path.write_text(row.text, "utf-8")
        return load_inventory(path)
