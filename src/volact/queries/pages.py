"""Lists by pages: a request, a page, and the cursor between two pages.

A cursor holds the sort key of the last item, so a page costs the same wherever it is and
neither repeats nor skips a server when rows are added meanwhile.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Generic, Protocol, TypeVar

import msgspec
import sqlalchemy as sa


class Reader(Protocol):
    """``Store``, where each question has a connection of its own, or ``Snapshot``."""

    def ask(self, question: Callable[[sa.Connection], T]) -> T:
        """The answer of a function of a connection; ``StoreError`` where that fails."""

    def stream(self, question: Callable[[sa.Connection], Iterable[T]]) -> Iterator[T]:
        """The same for answers that come a row at a time."""


MOST = 1000
T = TypeVar("T")
_Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]  # as databases have them


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which page.

    ``limit`` is how many items at the most, 1 to 1000; ``cursor`` is ``next`` of the page
    before, and ``""`` for the first page.
    """

    limit: int = 100
    cursor: str = ""


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Items in order; ``next`` is the cursor of the next page, ``""`` after the last."""

    items: tuple[T, ...]
    next: str = ""


class Order(msgspec.Struct, frozen=True):
    """The columns that a list is sorted by, of which the last is unique; none has nulls."""

    keys: tuple[sa.ColumnElement[Any], ...]
    newest_first: bool = False


class PageStatement(msgspec.Struct, frozen=True):
    """What ``paged`` makes of a query."""

    query: sa.Select[Any]
    order: Order
    packed: bool


def page_of(
    connection: sa.Connection,
    query: sa.Select[Any],
    order: Order,
    request: PageRequest,
    make: Callable[[Any], T],
) -> Page[T]:
    """One page of a query.

    Args:
        connection: to the database.
        query: all rows, in any order.
        order: by which they are sorted.
        request: which page.
        make: an item out of a row's columns.

    Raises ``ValueError`` for a limit out of bounds and for a cursor of another list.
    """
    statement = paged(query, order, after=bool(request.cursor))
    return read_page(connection, statement, request, make, {})


def paged(
    query: sa.Select[Any], order: Order, *, after: bool, packed: bool = False
) -> PageStatement:
    """The statement of a page of ``query`` in an ``order``: the first, or one ``after`` a cursor.

    ``packed``: its rows are one text of JSON.  Python's driver of SQLite takes turns with other
    threads at every row, which costs several readers more than the rows themselves.
    """
    keys = order.keys
    query = query.add_columns(*(key.label(f"key_{at}") for at, key in enumerate(keys)))
    if after:
        query = query.where(_after(keys, 0, order.newest_first))
    query = query.order_by(*(key.desc() if order.newest_first else key for key in keys))
    query = query.limit(sa.bindparam("most", type_=sa.Integer))
    if packed:
        columns = [_json(column) for column in query.subquery().c]
        query = sa.select(sa.func.json_group_array(sa.func.json_array(*columns)))
    return PageStatement(query, order, packed)


def _json(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    if isinstance(column.type, sa.Boolean):  # a number in SQLite
        return sa.func.json(sa.case((column, "true"), else_="false"))
    return column


def read_page(
    connection: sa.Connection,
    statement: PageStatement,
    request: PageRequest,
    make: Callable[[Any], T],
    values: Mapping[str, str],
) -> Page[T]:
    """``page_of`` by a statement of ``paged``; ``values`` are for its named parameters.

    Arguments as for ``page_of``.
    """
    if not 1 <= request.limit <= MOST:
        raise ValueError(f"limit {request.limit}: must be 1 to {MOST}")
    keys = statement.order.keys
    count = len(keys)
    given: dict[str, Any] = {**values, "most": request.limit + 1}
    if request.cursor:
        after = decode(request.cursor, [key.type.python_type for key in keys])
        given |= {f"after_{at}": value for at, value in enumerate(after)}
    found = connection.execute(statement.query, given)
    rows: Sequence[Any]
    rows = msgspec.json.decode(found.scalar_one()) if statement.packed else found.all()
    shown = rows[: request.limit]
    return Page(
        items=tuple(make(row[:-count]) for row in shown),
        next=encode(shown[-1][-count:]) if len(rows) > request.limit else "",
    )


def _after(
    keys: Sequence[sa.ColumnElement[Any]], at: int, newest_first: bool
) -> sa.ColumnElement[bool]:
    """Beyond the cursor: the first key is, or it is equal and the rest is."""
    key, *more = keys
    value: sa.BindParameter[Any] = sa.bindparam(f"after_{at}", type_=key.type)
    beyond: sa.ColumnElement[bool] = key < value if newest_first else key > value
    if not more:
        return beyond
    return sa.or_(beyond, sa.and_(key == value, _after(more, at + 1, newest_first)))


def encode(values: Sequence[Any]) -> str:
    """A cursor that is safe in a URL."""
    return base64.urlsafe_b64encode(msgspec.json.encode([*values])).decode().rstrip("=")


def decode(cursor: str, types: Sequence[type]) -> list[Any]:
    """The values of a cursor; ``ValueError`` for what is none of this list."""
    try:
        data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = msgspec.json.decode(data, type=list[str | _Integer])
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise ValueError(f"no cursor: {cursor!r}") from error
    if [type(value) for value in values] != [*types]:
        raise ValueError(f"the cursor of another list: {cursor!r}")
    return values
