"""Rows of the service's tables as structs."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

T = TypeVar("T")


def struct_of(row: sa.Row[Any], kind: type[T], **other: Any) -> T:
    """A row as a struct; ``other`` are values that are not the row's own."""
    # SQLAlchemy's names of columns are a subclass of str, which msgspec does not take.
    return msgspec.convert({str(key): value for key, value in row._mapping.items()} | other, kind)
