"""The version of the service's tables; they have a chain of migrations of their own."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from volact.errors import InputError
from volact.model.text import say
from volact.service.database.pooler import require_session
from volact.service.database.tables import METADATA
from volact.store.address import StoreAddress
from volact.store.failures import CAUGHT, database_error
from volact.store.schema import Schema, ask_for_wal, require_current
from volact.store.store import Store, open_address

# To open one costs more than most questions do.
_KEEP = 8
SERVICE = Schema("0005", Path(__file__).parent / "migrations", METADATA, "service_version")


def open_service_store(address: StoreAddress, *, create: bool = True) -> Store:
    """The store with the service's tables.

    Where they are not there they are made; without ``create``, that is an ``InputError``.
    """
    store = open_address(address, create=create, keep=_KEEP)
    if store is None:
        raise _no_service(address)
    try:
        require_session(store.engine)
        if not require_current(store.engine, address, SERVICE, create=create):
            raise _no_service(address)
        if address.file is not None:  # a copy of VACUUM INTO has none; busy with others: next time
            with suppress(sqlite3.OperationalError):
                ask_for_wal(store.engine)
    except CAUGHT as error:
        store.close()
        raise database_error(error, address) from error
    except InputError:
        store.close()
        raise
    return store


def _no_service(address: StoreAddress) -> InputError:
    return InputError(
        say("there is no database of the service"),
        say("volact serve creates it"),
        where=address.shown,
    )
