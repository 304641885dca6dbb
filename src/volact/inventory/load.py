"""Which format an inventory file has, and the servers in it.

By the file's name, else by how it begins.  How each format is read is its own
module's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from volact.errors import InputError
from volact.inventory.csv_file import read_csv
from volact.inventory.document import read_document
from volact.inventory.listing import Inventory

Reader = Callable[[Path, str], Inventory]


def load_inventory(path: Path | str) -> Inventory:
    """Read a file; ``InputError`` for the first thing that is wrong in it."""
    inventory = read_inventory(path)
    if not inventory.problems:
        return inventory
    first, *others = inventory.problems
    if not others:
        raise first
    all_of_them = f"{len(others)} more: volact inventory check -i {path}"
    raise InputError(first.message, f"{first.hint}; {all_of_them}" if first.hint else all_of_them)


def read_inventory(path: Path | str) -> Inventory:
    """Read a file as far as it can be read; its problems are in the result."""
    shown = str(path)
    try:
        return _reader(Path(path))(Path(path), shown)
    except OSError as error:
        raise InputError(error.strerror or "not readable", where=shown) from error
    except InputError as error:
        return Inventory(path=shown, problems=(error,))


_BY_SUFFIX: dict[str, Reader] = {
    ".toml": read_document,
    ".csv": read_csv,
    ".tsv": read_csv,
}


def _reader(path: Path) -> Reader:
    return _BY_SUFFIX.get(path.suffix.lower(), read_document)
