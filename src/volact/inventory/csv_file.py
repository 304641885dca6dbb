"""A table of servers, as a spreadsheet writes it, into servers.

Delimiter and encoding are found out; a line ``sep=;``, quoted cells, a byte
order mark and empty columns at the end are taken as they come.  A cell is
text: nothing in it is computed.  What columns mean is ``csv_columns``'s.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Generator
from contextlib import closing
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from volact.errors import InputError, one_line
from volact.inventory.ansible.patterns import is_six
from volact.inventory.build import make_server
from volact.inventory.csv_columns import ColumnMap, known_columns, read_header
from volact.inventory.fields import Fields, LinePlace, at_line
from volact.inventory.keys import FLAGS
from volact.inventory.listing import Inventory, Listing
from volact.inventory.secrets import Secret
from volact.model.text import say

_DELIMITERS = ",;\t|"
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_TRUE = ("true", "yes", "1", "on")
_FALSE = ("false", "no", "0", "off")
# A cell that a spreadsheet would compute is guarded by a sign that is not part of it.
_GUARDED = re.compile(r"'(?=[=+\-@\t\r])")

# A row with the number of the line it ends on.
CsvRow = tuple[int, list[str]]


def read_csv(path: Path, shown: str) -> Inventory:
    """A CSV file; what is wrong with single rows is in the result's problems."""
    for encoding in (_encoding(path), "cp1252"):
        listing = Listing(path, shown)
        if encoding == "cp1252":
            listing.note(say("{file} is not UTF-8; it is read as Windows-1252", file=shown))
        try:
            with closing(_rows(path, encoding, shown)) as rows:
                _read(rows, listing)
        except UnicodeDecodeError:
            continue
        return listing.done()
    raise InputError(say("is neither UTF-8, UTF-16 nor Windows-1252 text"), where=shown)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(4)
    return next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")


def _rows(path: Path, encoding: str, shown: str) -> Generator[CsvRow, None, None]:
    """The rows of the file, the header first; blank ones are left out."""
    with path.open("rb") as binary, TextIOWrapper(binary, encoding, newline="") as file:
        first = file.readline()
        hint = _SEP.fullmatch(first)
        skipped = 1 if hint else 0
        header = file.readline() if hint else first
        delimiter = hint[1] if hint else _delimiter(header)
        file.seek(0)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            if skipped:
                next(reader, None)
            for row in reader:
                if any(cell.strip() for cell in row):
                    yield reader.line_num, row
        except csv.Error as error:
            raise InputError(
                say("not CSV: {error}", error=one_line(str(error))),
                where=at_line(shown, reader.line_num),
            ) from error


def _delimiter(header: str) -> str:
    """The delimiter that makes the most known columns, else the most columns."""

    def columns(delimiter: str) -> tuple[int, int]:
        try:
            words = next(csv.reader([header], delimiter=delimiter))
        except (csv.Error, StopIteration):
            return (0, 0)
        return (known_columns(words), len(words))

    return max(_DELIMITERS, key=columns)


def _read(rows: Generator[CsvRow, None, None], listing: Listing) -> None:
    first = next(rows, None)
    if first is None:
        raise InputError(say("is empty"), where=listing.shown)
    line, header = first
    columns = read_header(header, listing.at(line))
    if columns.unused:
        listing.note(
            say(
                "{file}: columns that are not used: {names}",
                file=listing.shown,
                names=", ".join(columns.unused),
            )
        )
    empty = True
    for line, row in rows:
        empty = False
        listing.attempt(partial(_add, listing, columns, len(header), line, row))
    if empty:
        raise InputError(say("has no servers after its first line"), where=listing.shown)


def _add(listing: Listing, columns: ColumnMap, width: int, line: int, row: list[str]) -> None:
    extra = [cell for cell in row[width:] if cell.strip()]
    if extra:
        hint = say("a cell that holds the delimiter goes in double quotes")
        raise InputError(say("has more cells than the first line"), hint, where=listing.at(line))
    cells = {key: _unguarded(row[at].strip()) for key, at in columns.at.items() if at < len(row)}
    values = _values({key: cell for key, cell in cells.items() if cell}, listing.at(line))
    if "password" in values:
        values["password-held"] = _hold(listing, line, values.pop("password"))
    fields = Fields(values, LinePlace(listing.shown, line), listing.folder)
    listing.add(make_server(fields), fields)


def _values(cells: dict[str, str], where: str) -> dict[str, Any]:
    """The cells of a row under the keys of an inventory, each with the type it has there."""
    values: dict[str, Any] = dict(cells)
    transport, port = values.pop("transport", "ssh").lower(), values.pop("port", "")
    if "address" in values:
        values["address"] = _address(values["address"], transport, port, where)
    elif transport == "local":
        values["address"] = "local"
    if "tags" in values:
        values["tags"] = [word for word in re.split(r"[;,\s]+", values["tags"]) if word]
    if "key-file" in values:
        values["key-file"] = [word.strip() for word in values["key-file"].split(";")]
    for key in FLAGS:
        if key in values:
            values[key] = _flag(values[key])
    return values


def _unguarded(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell


def _address(text: str, transport: str, port: str, where: str) -> str:
    """``ssh://host:port`` out of separate cells."""
    if "://" in text or text == "local":
        if port:
            raise InputError(
                say("has a port column and a whole address"), say("write one of them"), where=where
            )
        return text
    if transport == "local":
        return "local"
    host = f"[{text}]" if is_six(text) else text
    return f"{transport}://{host}{f':{port}' if port else ''}"


def _flag(text: str) -> bool | str:
    """A truth value as spreadsheets write it; anything else is refused further on."""
    word = text.lower()
    return word in _TRUE if word in _TRUE + _FALSE else text


def _hold(listing: Listing, line: int, password: str) -> str:
    place = listing.at(line)
    listing.held[place] = Secret(password)
    listing.note(
        say(
            "{file} holds passwords in clear; name their place instead: {keys}",
            keys="password-env, password-command, keyring",
            file=listing.shown,
        )
    )
    return place
