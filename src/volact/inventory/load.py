"""Which format an inventory file has, and the servers in it.

By the file's name, else by how it begins.  How each format is read is its own
module's affair.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import msgspec

from volact.bounded.files import as_file
from volact.errors import InputError, unreadable
from volact.inventory.csv_file import read_csv
from volact.inventory.document import read_document
from volact.inventory.listing import Inventory
from volact.inventory.text_file import encoding_of
from volact.model.text import say

FileReader = Callable[[Path, str], Inventory]

_LOOKED_AT = 200  # lines of a file whose name does not show its format


def load_inventory(path: Path | str) -> Inventory:
    """Read a file; ``InputError`` for the first thing that is wrong in it."""
    inventory = read_inventory(path)
    if not inventory.problems:
        return inventory
    first, *others = inventory.problems
    if not others:
        raise first
    all_of_them = say("{n} more: volact inventory check -i {path}", n=len(others), path=path)
    hint = say("{some}; {more}", some=first.hint, more=all_of_them) if first.hint else all_of_them
    raise InputError(first.what, hint, where=first.where)


def read_inventory(path: Path | str) -> Inventory:
    """Read a file as far as it can be read; its problems are in the result."""
    shown = str(path)
    try:
        with as_file(Path(path)) as file:
            read = _reader(file, shown)
            return msgspec.structs.replace(read(file, shown), foreign=read is not read_document)
    except OSError as error:
        raise unreadable(error, shown) from error
    except InputError as error:
        return Inventory(path=shown, problems=(error,))


def _read_ini(path: Path, shown: str) -> Inventory:
    from volact.inventory.ansible import read_ini  # noqa: PLC0415 - PyYAML, for Ansible's alone

    return read_ini(path, shown)


def _read_yaml(path: Path, shown: str) -> Inventory:
    from volact.inventory.ansible import read_yaml  # noqa: PLC0415 - PyYAML, for Ansible's alone

    return read_yaml(path, shown)


_BY_SUFFIX: dict[str, FileReader] = {
    ".toml": read_document,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".ini": _read_ini,
    ".cfg": _read_ini,
    ".yml": _read_yaml,
    ".yaml": _read_yaml,
    ".json": _read_yaml,
}
_KINDS = (  # what a file is that is none, by its first line
    (re.compile(r"-----BEGIN |PuTTY-User-Key-File-"), say("is a key or a certificate")),
    (re.compile(r"<(!doctype|html|\?xml)\b", re.IGNORECASE), say("is a page of HTML or XML")),
)
# One line that an inventory may consist of; a file with any other is a password's, or a key's.
_ALONE = re.compile(r"""(["']?)[\w.:%@\[\]-]+\1(\s+[#;].*)?|\w+://\S+|\[.*|\S+\s+[^\s=]+\s*=.*""")
_TOML = re.compile(r"\s*(\[\[server\]\]|\[(defaults|images|group\.[^\]]+)\])\s*(#.*)?")


def _reader(path: Path, shown: str) -> FileReader:
    """By the suffix; Ansible's own default, ``hosts``, has none."""
    if path.is_dir():
        raise InputError(
            say("is a directory"), say("name the inventory file in that folder"), where=shown
        )
    with path.open(encoding=encoding_of(path), errors="replace") as file:
        lines = [line for line in islice(file, _LOOKED_AT) if not _says_nothing(line)]
    first = lines[0] if lines else ""
    for form, what in _KINDS:
        if form.match(first.lstrip()):
            raise InputError(what, say("name an inventory"), where=shown)
    if any("\0" in line for line in lines):  # a workbook, or UTF-16 that does not say so
        raise InputError(
            say("is not a text file"),
            say("save it as UTF-8, the sheet of a workbook as CSV"),
            where=shown,
        )
    known = _BY_SUFFIX.get(path.suffix.lower())
    if known is not None:
        return known
    if any(_TOML.fullmatch(line.rstrip("\n")) for line in lines):
        return read_document
    if re.match(r"---|\{|\[\s*([{\"]|$)", first) or re.match(r"[\w.-]+:\s*(#.*)?$", first):
        return _read_yaml
    if len(lines) == 1 and _may_be_secret(path, shown, first.strip()):
        raise InputError(
            say("holds one line that may be a password, so it is not read as an inventory"),
            say("name a password file with password-file, and an inventory hosts or *.ini"),
            where=shown,
        )
    if len(re.split(r"[,;\t]", first)) > 1 and "=" not in first:
        return read_csv
    return _read_ini


def _may_be_secret(path: Path, shown: str, line: str) -> bool:
    """Whether no host's name is like that, or it is one word that its owner alone may read."""
    if path.stem.lower() in ("hosts", "inventory"):
        return False
    private = os.name == "posix" and str(path) == shown and not path.stat().st_mode & 0o077
    return not _ALONE.fullmatch(line) or (private and not re.search(r"[\s.:\[]", line))


def _says_nothing(line: str) -> bool:
    return not line.strip() or line.lstrip()[:1] in "#;"
