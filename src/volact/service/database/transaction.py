"""A change of the service's tables: one transaction, whose errors are in volact's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from volact.store.engine import writing
from volact.store.failures import CAUGHT, database_error
from volact.store.store import Store


@contextmanager
def transaction(store: Store) -> Iterator[sa.Connection]:
    """A connection that commits at the end of the block; ``StoreError`` where that fails."""
    try:
        with writing(store.engine).begin() as connection:
            yield connection
    except CAUGHT as error:
        raise database_error(error, store.address) from error
