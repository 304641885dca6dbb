"""The version of the service's tables; they have a chain of migrations of their own."""

from __future__ import annotations

from pathlib import Path

from volact.service.database.tables import METADATA
from volact.store.address import StoreAddress
from volact.store.failures import CAUGHT, database_error
from volact.store.schema import Schema, require_current
from volact.store.store import Store, open_address

# To open one costs more than most questions do.
_KEEP = 8
SERVICE = Schema("0002", Path(__file__).parent / "migrations", METADATA, "service_version")


def open_service_store(address: StoreAddress) -> Store:
    """The store with the service's tables, made where they are not there."""
    store = open_address(address, keep=_KEEP)
    assert store is not None, "it is created"
    try:
        require_current(store.engine, address, SERVICE)
    except CAUGHT as error:
        store.close()
        raise database_error(error, address) from error
    return store
