"""Database errors, as one line for a person and a word for the program.

No message of a library goes further than here unless its address is out of it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from typing import Literal

import sqlalchemy.exc as sa_exc

from volact.errors import StoreError, VolactError, one_line
from volact.model.text import Text, raw, say
from volact.store.address import StoreAddress, secrets_in

# locked, gone: may be over in a moment.  full: may be over in a while.  The rest stays.
FailureKind = Literal["locked", "gone", "full", "lasting"]

READ_ONLY = "25006"  # of PostgreSQL: read_only_sql_transaction
POOLER = say("this is the address of a pooler in transaction mode")
POOLER_HINT = say("name the database itself, or a pooler in session mode")

_Hint = Callable[[str], Text]  # of the option that names the database


def _another_program(option: str) -> Text:
    return say("stop that program, or give {option} another file", option=option)


def _permissions(option: str) -> Text:
    return say("check the permissions of the file and its folder")


_KNOWN: dict[int | str, tuple[FailureKind, Text, _Hint]] = {
    **dict.fromkeys(
        (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED),
        ("locked", say("another program has locked the database"), _another_program),
    ),
    sqlite3.SQLITE_FULL: (
        "full",
        say("the disk is full"),
        lambda option: say("free some disk space; volact prune helps"),
    ),
    sqlite3.SQLITE_IOERR: (
        "full",
        say("the file cannot be read or written"),
        lambda option: say("check its disk, or give {option} another file", option=option),
    ),
    sqlite3.SQLITE_CORRUPT: (
        "lasting",
        say("the database is damaged"),
        lambda option: say("move the file away; the next run creates a new one"),
    ),
    sqlite3.SQLITE_NOTADB: (
        "lasting",
        say("the file is not a database"),
        lambda option: say("give {option} another file", option=option),
    ),
    sqlite3.SQLITE_READONLY: (
        "lasting",
        say("no permission to write to the database"),
        _permissions,
    ),
    sqlite3.SQLITE_CANTOPEN: ("lasting", say("the database cannot be opened"), _permissions),
    READ_ONLY: (
        "gone",
        say("the server is read-only"),
        lambda option: say(
            "after a failover it is a standby, or its disk is full, or this account may only read"
        ),
    ),
    # A statement that psycopg has prepared is not there, or is there already: the session is
    # another.
    **dict.fromkeys(("26000", "42P05"), ("lasting", POOLER, lambda option: POOLER_HINT)),
}


_ROOM = 256 * 1024  # bytes that a batch and its log may take


# PostgreSQL's own codes for the same.
_POSTGRESQL = {
    "55P03": sqlite3.SQLITE_BUSY,  # lock_not_available
    "40P01": sqlite3.SQLITE_BUSY,  # deadlock_detected
    "53100": sqlite3.SQLITE_FULL,  # disk_full
}


# libpq's words for a certificate that it does not know; they have no code.
_UNVERIFIED = ("root certificate file", "certificate verify failed")


class DatabaseError(StoreError):
    """A failure of the store, and how lasting it is."""

    def __init__(self, kind: FailureKind, address: StoreAddress, what: Text, hint: Text) -> None:
        message = say("store {where}: {what}", where=raw(address.shown), what=what)
        super().__init__(message, hint)
        self.kind = kind
        self.what = what

    @property
    def passing(self) -> bool:
        """Whether waiting a moment may help."""
        return self.kind in {"locked", "gone"}


CAUGHT = (sa_exc.SQLAlchemyError, sqlite3.Error, OSError, StoreError)


def database_error(error: Exception, address: StoreAddress) -> StoreError:
    """A library's error in volact's words; volact's own stay as they are."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, OSError):
        return _of_system(error, address)
    cause = error.orig if isinstance(error, sa_exc.DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    code = code & 0xFF if isinstance(code, int) else _of_postgresql(cause)
    if code == sqlite3.SQLITE_IOERR and _is_full(address):
        code = sqlite3.SQLITE_FULL
    if known := _KNOWN.get(code):
        kind, what, hint = known
        return DatabaseError(kind, address, what, hint(address.option))
    # PostgreSQL has many words for a session that it has ended; the next has another chance.
    gone = isinstance(error, sa_exc.DBAPIError) and error.connection_invalidated
    if isinstance(error, sa_exc.OperationalError | sa_exc.InterfaceError):
        gone = gone or address.file is None
    return _other("gone" if gone else "lasting", cause, address)


def _of_postgresql(cause: BaseException | None) -> int | str:
    state = sqlstate(cause)
    return _POSTGRESQL.get(state, state)


def sqlstate(cause: BaseException | None) -> str:
    """PostgreSQL's code of an error; empty where there is none."""
    return str(getattr(cause, "sqlstate", None) or "")


def _is_full(address: StoreAddress) -> bool:
    """Whether there is no room where the file is: SQLite does not always report it."""
    if address.file is None:
        return False
    try:
        return shutil.disk_usage(address.file.parent).free < _ROOM
    except OSError:
        return False


def _other(kind: FailureKind, cause: BaseException | None, address: StoreAddress) -> DatabaseError:
    """Any other error, in its own words."""
    words = one_line(str(cause) or type(cause).__name__)
    for secret in secrets_in(address.url):
        words = words.replace(secret, "***")
    if any(part in words for part in _UNVERIFIED):
        hint = say(
            "name the file with the certificates of the database's authority: "
            "sslrootcert=FILE in the URL"
        )
    elif kind == "gone":
        hint = say("does the database exist, and may you log in?")
    else:
        hint = say("give {option} another location", option=address.option)
    return DatabaseError(kind, address, raw(words), hint)


def _of_system(error: OSError, address: StoreAddress) -> DatabaseError:
    words = raw(error.strerror or type(error).__name__)
    if isinstance(error, IsADirectoryError):
        hint = say("give {option} a file in that folder", option=address.option)
        return DatabaseError("lasting", address, say("is a directory"), hint)
    return DatabaseError("lasting", address, words, _permissions(address.option))


def kind_of(error: VolactError) -> FailureKind:
    """How lasting an error is; one that is not of a database lasts."""
    return error.kind if isinstance(error, DatabaseError) else "lasting"
