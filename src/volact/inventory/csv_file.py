"""A table of servers, as a spreadsheet writes it, into servers.

Delimiter and encoding are found out; a line ``sep=;``, quoted cells, a byte
order mark and empty columns at the end are taken as they come.  A cell is
text: nothing in it is computed.  Columns have various names.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import msgspec

from volact.errors import InputError, one_line
from volact.inventory.build import make_server
from volact.inventory.fields import Fields, FilePlace, at_line
from volact.inventory.keys import FALSE, FLAGS, KEYS, PATHS, TRUE
from volact.inventory.listing import Inventory, Listing
from volact.inventory.target import url_of
from volact.inventory.text_file import encoding_of
from volact.model.spreadsheet import unguarded
from volact.model.text import say

# Other names of a key, without blanks and signs.
_NAMES = {
    "name": "server servername computer computername instance instancename vm vmname node",
    "address": "host ip ipaddress ipv4 ipv6 privateip privateipaddress fqdn dns dnsname",
    "port": "sshport winrmport",
    "user": "username login loginname account",
    "transport": "protocol connection scheme via",
    "provider": "cloud",
    "tags": "tag group groups role roles label labels",
    "password": "pass passwd pwd",
    "jump": "jumphost proxyjump bastion",
    "key-file": "key keyfile privatekey identityfile",
}
_OWN_NAMES = ("name", "address", "port", "transport", "password")
# The name of a server when another column has its address, else its address.
_EITHER = "hostname"
_WORDS = [*_OWN_NAMES, *(key for key in KEYS if key != "password-held")]


def _squeezed(word: str) -> str:
    return re.sub(r"[\s_.\-/()]+", "", word).lower()


_MEANING = {_squeezed(key): key for key in _WORDS} | {
    word: key for key, words in _NAMES.items() for word in words.split()
}


class ColumnMap(msgspec.Struct, frozen=True):
    """Where in a row each key is; ``unused`` names the columns without a meaning here."""

    at: dict[str, int]
    unused: tuple[str, ...]


def known_columns(header: Sequence[str]) -> int:
    """How many columns of a header are known: what a delimiter is judged by."""
    return sum(_squeezed(word) in _MEANING or _squeezed(word) == _EITHER for word in header)


def read_header(header: Sequence[str], where: str) -> ColumnMap:
    """The meaning of each column; ``InputError`` for what can only be a mistake."""
    at: dict[str, int] = {}
    unused: list[str] = []
    either = [index for index, word in enumerate(header) if _squeezed(word) == _EITHER]
    for index, word in enumerate(header):
        key = _MEANING.get(_squeezed(word))
        if key in at:
            both = f"{header[at[key]]!r} and {word!r}"
            raise InputError(
                say("columns {names} both mean {key}", names=both, key=key),
                say("remove one"),
                where=where,
            )
        if key is not None:
            at[key] = index
        elif word.strip() and index not in either:
            _refuse_misspelt(word, where)
            unused.append(word.strip())
    for index in either:
        key = "name" if "address" in at and "name" not in at else "address"
        if key in at:
            unused.append(header[index].strip())
        at.setdefault(key, index)
    if "address" not in at:
        raise InputError(
            say("the first line names no column with addresses"),
            say("name one column address, host or ip"),
            where=where,
        )
    return ColumnMap(at, tuple(unused))


def _refuse_misspelt(word: str, where: str) -> None:
    """A column that is nearly a known one is not passed over in silence."""
    close = difflib.get_close_matches(_squeezed(word), _MEANING, n=1, cutoff=0.86)
    if close:
        raise InputError(
            say("unknown column {name}", name=repr(word.strip())),
            say(
                "did you mean {meaning}? else give it another name",
                meaning=repr(_MEANING[close[0]]),
            ),
            where=where,
        )


_DELIMITERS = ",;\t|"
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
# A password is not of volact's own files: no more of it is taken off than a spreadsheet needs.
_GUARDED = re.compile(r"'(?=[=+\-@\t\r])")

# A row with the number of the line it ends on.
CsvRow = tuple[int, list[str]]


def read_csv(path: Path, shown: str) -> Inventory:
    """A CSV file; what is wrong with single rows is in the result's problems."""
    for encoding in (encoding_of(path), "cp1252"):
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


def _rows(path: Path, encoding: str, shown: str) -> Generator[CsvRow, None, None]:
    """The rows of the file, the header first; blank ones are left out."""
    with path.open("rb") as binary, TextIOWrapper(binary, encoding, newline="") as file:
        first = file.readline()
        hint = _SEP.fullmatch(first)
        skipped = 1 if hint else 0
        header = file.readline() if hint else first
        delimiter = hint[1] if hint else _delimiter(header)
        file.seek(0)
        reader = csv.reader(file, delimiter=delimiter, strict=True, skipinitialspace=True)
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
            words = next(csv.reader([header], delimiter=delimiter, skipinitialspace=True))
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
    cells = {
        key: _unguarded(key, row[at].strip()) for key, at in columns.at.items() if at < len(row)
    }
    values = _values({key: cell for key, cell in cells.items() if cell}, listing.at(line))
    if "password" in values:
        values["password-held"] = listing.hold(
            listing.at(line),
            values.pop("password"),
            listing.shown,
            "password-env, password-command, keyring",
        )
    fields = Fields(values, FilePlace(listing.shown, line), listing.folder)
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
    for key, cell in cells.items():
        if key in PATHS:
            values[key] = [word.strip() for word in cell.split(";")]
        elif key in FLAGS:
            values[key] = _flag(cell)
    return values


def _unguarded(key: str, cell: str) -> str:
    """The cell without the signs that keep a spreadsheet from computing it."""
    if key == "password":
        return cell[1:] if _GUARDED.match(cell) else cell
    return unguarded(cell, whole=key.endswith("command"))


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
    return f"{url_of(transport, text)}{f':{port}' if port else ''}"


def _flag(text: str) -> bool | str:
    """A truth value as spreadsheets write it; anything else is refused further on."""
    word = text.lower()
    return word in TRUE if word in TRUE + FALSE else text
