"""The store as the verbs see it: opened once, read, pruned, closed.

Reading streams: ten thousand rows are never in memory together.  What happens
while a run goes on is ``store_writer``'s; rows as they are come from ``reading``, lists and
digests from ``volact.queries``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Literal, TypeVar, overload

import sqlalchemy as sa

from volact.model.step import Intent
from volact.store import pruning, reading
from volact.store.address import StoreAddress, chosen
from volact.store.engine import BUSY_S, make_engine, reading_engine, require_file, writing
from volact.store.failures import CAUGHT, database_error
from volact.store.schema import require_current
from volact.store.values import Forgotten, Latest, Pruned, RunRow, StoredRow
from volact.store.version import DatabaseVersion, Version

T = TypeVar("T")


class Store:
    """An open store.  Every method raises only ``StoreError``, except where more is documented."""

    def __init__(self, engine: sa.Engine, address: StoreAddress) -> None:
        self.engine = engine
        self.address = address
        self._version = DatabaseVersion(engine)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the database."""
        self._version.close()
        self.engine.dispose()

    def version(self) -> Version | None:
        """What changes with commits; ``None``: not known.

        Of SQLite it takes microseconds, of PostgreSQL a round trip.
        """
        return self._version.ask()

    def runs(self, limit: int | None = None) -> list[RunRow]:
        """The runs, newest first."""
        with self.snapshot() as moment:
            return moment.runs(limit)

    def find_run(self, text: str, commands: Collection[str] = ()) -> RunRow:
        """A run by id, unique beginning of one, or ``last``; ``InputError`` for none.

        ``commands`` narrows ``last`` to runs of these verbs.
        """
        with self.snapshot() as moment:
            return moment.find_run(text, commands)

    def rows(self, run: str) -> Iterator[StoredRow]:
        """A run's rows in the order of their servers' names."""
        return self.stream(lambda connection: reading.rows(connection, run))

    def latest(self, names: Sequence[str] | None = None) -> Iterator[Latest]:
        """How each server stood when it was last seen, by name."""
        return self.stream(lambda connection: reading.latest(connection, names))

    def verified_between(self, run: str, since: datetime, until: datetime) -> set[str]:
        """Servers that this run found or left healthy, ``since`` a moment ``until`` another."""
        return self.ask(lambda connection: reading.verified_between(connection, run, since, until))

    def intents(self, run: str) -> Iterator[Intent]:
        """What was about to be sent in a run, oldest first, each server's together."""
        return self.stream(lambda connection: reading.intents(connection, run))

    def facts(
        self, run: str, server: str, look: Literal["first", "closing", ""] = ""
    ) -> dict[str, Any] | None:
        """The raw facts of a server in a run: those of the probe ``look``, else the newest."""
        return self.ask(lambda connection: reading.facts(connection, run, server, look))

    def looks(self, run: str) -> Iterator[dict[str, Any]]:
        """The raw facts of every probe of a run, with server, time and kind."""
        return self.stream(lambda connection: reading.looks(connection, run))

    def prune(self, older_than: timedelta, *, keep: int = 0, dry_run: bool = False) -> Pruned:
        """Delete old runs, but each server's newest row and its newest examination.

        Args:
            older_than: runs that began longer ago.
            keep: how many of the newest stay at any age.
            dry_run: only count what would be deleted.
        """
        engine = self.engine if dry_run else writing(self.engine)
        with _guarded(self.address), engine.begin() as connection:
            pruned = pruning.prune(connection, older_than, keep=keep, dry_run=dry_run)
        if not dry_run and pruned.rows + pruned.runs:
            with _guarded(self.address):
                pruning.give_back(self.engine)
        return pruned

    def forget(self, names: Sequence[str], *, dry_run: bool = False) -> Forgotten:
        """Delete these servers and everything about them."""
        with _guarded(self.address), writing(self.engine).connect() as connection:
            forgotten = pruning.forget(connection, names)
            if not dry_run:
                connection.commit()
        if not dry_run:
            with _guarded(self.address):
                pruning.give_back(self.engine)
        return forgotten

    def ask(self, question: Callable[[sa.Connection], T]) -> T:
        """The answer of a function of a connection, on a connection of its own."""
        with self.snapshot() as moment:
            return moment.ask(question)

    def change(self, work: Callable[[sa.Connection], T]) -> T:
        """The answer of a function that writes, committed as one transaction."""
        with _guarded(self.address), writing(self.engine).begin() as connection:
            return work(connection)

    def stream(self, question: Callable[[sa.Connection], Iterable[T]]) -> Iterator[T]:
        """The same for answers that come a row at a time."""
        with self.snapshot() as moment:
            yield from moment.stream(question)

    @contextmanager
    def snapshot(self) -> Iterator[StoreSnapshot]:
        """One moment of the store: several questions whose answers agree."""
        with _guarded(self.address):
            connection = reading_engine(self.engine).connect()
        try:
            yield StoreSnapshot(connection, self.address)
        finally:
            with _guarded(self.address):
                connection.close()


class StoreSnapshot:
    """A connection to the store on which nothing changes while it is asked."""

    def __init__(self, connection: sa.Connection, address: StoreAddress) -> None:
        self._connection = connection
        self._address = address

    def runs(self, limit: int | None = None) -> list[RunRow]:
        """As ``Store.runs``."""
        return self.ask(lambda connection: reading.runs(connection, limit))

    def find_run(self, text: str, commands: Collection[str] = ()) -> RunRow:
        """As ``Store.find_run``."""
        return self.ask(lambda connection: reading.find_run(connection, text, commands))

    def ask(self, question: Callable[[sa.Connection], T]) -> T:
        """The answer of a function of the connection; ``StoreError`` where that fails."""
        with _guarded(self._address):
            return question(self._connection)

    def stream(self, question: Callable[[sa.Connection], Iterable[T]]) -> Iterator[T]:
        """The same for answers that come a row at a time."""
        with _guarded(self._address):
            yield from question(self._connection)


@contextmanager
def _guarded(address: StoreAddress) -> Iterator[None]:
    """Errors of the database leave in volact's words."""
    try:
        yield
    except CAUGHT as error:
        raise database_error(error, address) from error


@overload
def open_store(url: str | None = None, *, create: Literal[True] = True) -> Store: ...


@overload
def open_store(url: str | None = None, *, create: bool) -> Store | None: ...


def open_store(url: str | None = None, *, create: bool = True) -> Store | None:
    """The store that is meant by an option's word, else by the environment, else the usual.

    ``None`` when there is none: it was never made and is not to be, or the operator
    wants none kept.  ``StoreError`` when it cannot be opened.
    """
    address = chosen(url or "")
    return None if address is None else open_address(address, create=create)


def open_address(
    address: StoreAddress, *, create: bool = True, busy_s: float = BUSY_S, keep: int = 0
) -> Store | None:
    """The same for an address; ``busy_s`` and ``keep`` are as for ``make_engine``."""
    with _guarded(address):
        if address.file is not None:
            if not create and not address.file.exists():
                return None
            require_file(address.file)
        engine = make_engine(address, busy_s=busy_s, keep=keep)
        try:
            there = require_current(engine, address, create=create)
        except BaseException:
            engine.dispose()
            raise
        if not there:
            engine.dispose()
            return None
    return Store(engine, address)
