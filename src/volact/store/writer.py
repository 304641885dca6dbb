"""The thread's work: gather what waits, commit it together, and live with a database that fails.

Steps that wait are committed at once, everything that waits with them: two
thousand servers cost a few commits.  Rows alone may wait a moment for company.
"""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue

import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy import exc as sa_exc

from volact.errors import StoreError
from volact.model.text import Text, say
from volact.model.told import told
from volact.store.address import Address
from volact.store.failures import CAUGHT, kind_of, trouble
from volact.store.items import END, Begun, Ended, Item, Passing, Sending, release
from volact.store.store import Store, open_address
from volact.store.values import Kept, Opening
from volact.store.writing import Batch, write

_COMPANY_S = 0.1
_AT_ONCE = 500
_BUSY_S = 0.5  # one attempt; patience is many of them
_PAUSE_S = 0.2  # between attempts
_AGAIN_S = 5.0  # after giving up once: what fails is tried again only so often
_OF_ONE_ITEM = (sa_exc.DataError, sa_exc.IntegrityError)


class Writer:
    """One run's connection to its store."""

    def __init__(self, address: Address, opening: Opening, begun: str, patience_s: float) -> None:
        self._address = address
        self._opening = opening
        self._patience_s = patience_s
        self._begun = begun
        self._store: Store | None = None
        self._connection: sa.Connection | None = None
        self._sure = False  # that the run itself is there, which a database may forget
        self._anything = False
        self._trouble: StoreError | None = None
        self._again_at = 0.0

    def work(self, queue: SimpleQueue[Item]) -> Kept:
        """Write until the run has ended."""
        try:
            ended = False
            while not ended:
                items = _gather(queue)
                ended = isinstance(items[-1], END)
                try:
                    self._keep(items, last=ended)
                finally:
                    release(items)
        finally:
            self._let_go()
        return Kept(anything=self._anything, trouble=self._words())

    def _keep(self, items: list[Item], *, last: bool) -> None:
        """Write these, or know why not."""
        if time.monotonic() < self._again_at and not last:
            return
        try:
            self._patiently(items)
        except CAUGHT as error:
            one = isinstance(error, _OF_ONE_ITEM)
            if one and len(items) > 1:
                for item in items:
                    self._keep([item], last=last)
                return
            self._fail(trouble(error, self._address), lasting=not one)

    def _patiently(self, items: list[Item]) -> None:
        until = time.monotonic() + (0.0 if self._trouble else self._patience_s)
        while True:
            try:
                self._commit(items)
            except CAUGHT as error:
                self._let_go()
                self._sure = False
                passing = kind_of(trouble(error, self._address)) in {"locked", "gone"}
                if not passing or time.monotonic() > until:
                    raise
                time.sleep(_PAUSE_S)
            else:
                return

    def _commit(self, items: list[Item]) -> None:
        connection = self._open()
        batch = Batch(self._opening, self._begun, [self._with_note(item) for item in items])
        with connection.begin():
            write(connection, batch, first=not self._sure)
        self._sure = self._anything = True

    def _open(self) -> sa.Connection:
        if self._connection is None:
            self._store = open_address(self._address, busy_s=_BUSY_S)
            assert self._store is not None
            self._connection = self._store.engine.connect().execution_options(writing=True)
        return self._connection

    def _with_note(self, item: Item) -> Item:
        if not isinstance(item, Ended) or self._trouble is None:
            return item
        notes = (*item.report.notes, self._words())
        return Ended(replace(item.report, notes=notes))

    def _fail(self, error: StoreError, *, lasting: bool) -> None:
        self._trouble = self._trouble or error
        if lasting:
            for_good = kind_of(error) == "lasting"
            self._again_at = float("inf") if for_good else time.monotonic() + _AGAIN_S

    def _words(self) -> Text:
        if self._trouble is None:
            return Text("")
        why = told(self._trouble)
        if self._anything:
            return say("not all of this run is kept: {why}", why=why)
        return say("this run is not kept: {why}", why=why)

    def _let_go(self) -> None:
        """Close what is open; the next attempt opens it anew."""
        connection, store = self._connection, self._store
        self._connection = self._store = None
        try:
            if connection is not None:
                connection.close()
            if store is not None:
                store.close()
        except CAUGHT:
            return  # it is broken, which is why it is closed


def _gather(queue: SimpleQueue[Item]) -> list[Item]:
    """What waits; rows alone wait a moment for more."""
    items = [queue.get()]
    until = time.monotonic() + _COMPANY_S
    hurry = False
    while not isinstance(items[-1], END) and len(items) < _AT_ONCE:
        hurry = hurry or isinstance(items[-1], Begun | Sending | Passing)
        left = 0.0 if hurry else until - time.monotonic()
        try:
            items.append(queue.get(block=left > 0, timeout=max(left, 0.0)))
        except Empty:
            break
    return items
