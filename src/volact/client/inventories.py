"""What the API takes and answers of inventories."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
MOST_TEXT = 8 * 1024 * 1024  # characters of an inventory; 10,000 servers are under 2 MB


class InventoryUpload(msgspec.Struct, frozen=True, kw_only=True):
    """A file as ``-i`` takes it.  ``file`` is its name, which shows its format.

    Secrets in clear are refused.  Programs that it names (``password-command``) are a mistake.
    """

    file: Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. -]*$")]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=MOST_TEXT)]


class InventorySource(msgspec.Struct, frozen=True, kw_only=True):
    """A cloud's list, as ``--from``, ``--from-filter`` and ``--via`` name it."""

    source: ShortText
    filters: Annotated[tuple[ShortText, ...], msgspec.Meta(max_length=50)] = ()
    via: Annotated[str, msgspec.Meta(max_length=32)] = ""


class InventoryMistake(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong in an inventory; runs over it are refused until it is corrected."""

    message: str
    hint: str = ""
    where: str = ""


class InventoryInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An inventory of the service.  ``source`` is empty for one that was uploaded."""

    name: str
    file: str
    source: str = ""
    filters: tuple[str, ...] = ()
    servers: int = 0
    mistakes: tuple[InventoryMistake, ...] = ()
    updated_by: str = ""
    updated: datetime


class InventoryServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server of an inventory, as runs would take it."""

    name: str
    address: str
    provider: str = ""
    tags: tuple[str, ...] = ()
    skip: str = ""  # why no run takes it


class InventoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """The inventories by name."""

    items: tuple[InventoryInfo, ...]


class InventoryServerPage(msgspec.Struct, frozen=True, kw_only=True):
    """The servers of an inventory by name."""

    items: tuple[InventoryServer, ...]
    next: str = ""
