"""Changes of the service's tables, each one transaction, and their rows as structs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from volact.store.engine import writing
from volact.store.failures import CAUGHT, database_error
from volact.store.store import Store

T = TypeVar("T")


@contextmanager
def transaction(store: Store) -> Iterator[sa.Connection]:
    """A connection that commits at the end of the block; ``StoreError`` where that fails."""
    try:
        with writing(store.engine).begin() as connection:
            yield connection
    except CAUGHT as error:
        raise database_error(error, store.address) from error


def struct_of(row: Any, kind: type[T], **other: Any) -> T:
    """A row as a struct; ``other`` are values that are not the row's own."""
    # SQLAlchemy's names of columns are a subclass of str, which msgspec does not take.
    return msgspec.convert({str(key): value for key, value in row._mapping.items()} | other, kind)
