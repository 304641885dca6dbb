"""A service's store whose tables are copied: migrations run once for each process of tests.

Fixtures of ``store_fixtures`` import it when a test asks for one: services take long to import.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from volact.service.database.schema import open_service_store
from volact.store.address import StoreAddress, parse_address
from volact.store.store import Store


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "volact.db"
        open_service_store(StoreAddress(file=file, shown="volact.db")).close()
        return file.read_bytes()


def migrated_store(file: Path) -> Store:
    """The store in a file; one that is not there is made, empty."""
    if not file.exists():
        file.touch(0o600)
        file.write_bytes(_empty())
    return open_service_store(StoreAddress(file=file, shown="volact.db"))


def migrate(url: str) -> None:
    """Make the tables in a database."""
    address = parse_address(url)
    assert address is not None
    open_service_store(address).close()
