"""The service's database as the verbs open it, and the extra that it needs."""

from __future__ import annotations

from contextlib import AbstractContextManager

from volact.cli.failure import needs_extra
from volact.errors import InputError
from volact.model.text import say
from volact.store.address import StoreAddress, chosen
from volact.store.store import Store


def needs_service() -> AbstractContextManager[None]:
    """Around imports of ``volact.service``: its packages are an extra."""
    return needs_extra(
        "service", lambda name: say("the service needs the package {name}", name=name)
    )


def database_of(option: str) -> StoreAddress:
    """The database that is meant; the service cannot do without one."""
    address = chosen(option, name="--database")
    if address is None:
        raise InputError(say("the service needs a database"), say("give one with --database"))
    return address


def open_database(option: str, *, create: bool = False) -> Store:
    """The database with the service's tables; ``create``: made where there is none."""
    with needs_service():
        from volact.service.database.schema import open_service_store  # noqa: PLC0415 - an extra
    return open_service_store(database_of(option), create=create)
