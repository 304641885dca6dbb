"""What the columns of a table of servers mean, under their various names.

Pure: words of a header in, keys of the inventory out.  How a file becomes
rows is ``csv_file``'s.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import msgspec

from volact.errors import InputError
from volact.inventory.keys import KEYS
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
