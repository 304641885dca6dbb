"""Changes to inputs, drawn from a seed: bytes, text and JSON values.

Only what an input becomes; who is fed with it is ``fuzz_targets``'.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

MAX_INPUT = 200_000
# Bytes that mean something to one reader or another.
_WORDS: tuple[bytes, ...] = (
    *(
        b"\x00",
        b"\xff",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r\n",
        b"\n",
        b"\t",
        b"\x1b[2J\x1b]0;x\x07",
    ),
    *(b'"', b'""', b"'", b"\\", b"\\u0000", b"\\ud800", b"{", b"}", b"[", b"]", b"[[", b"]]"),
    *(b"=", b"=cmd|' /c calc'!A0", b"@SUM(1)", b"<script>alert(1)</script>", b"&lt;", b"%s%n"),
    *(b"-1", b"0", b"1e999", b"9" * 40, b"NaN", b"true", b"null", b"0x80070005", b"2147483648"),
    *(b"VOLACT1 ", b"VOLACT0 error ", b"VOLACT1 2 a505df1b {}", b"$ANSIBLE_VAULT;1.1;AES256"),
    *(b"ssh://", b"winrms://u:p@h:1", b"tat://", b"local", b"[::1]", b"[a:z]", b"[0:999999999]"),
    *(
        b"&a *a",
        b"!!python/object",
        b"<<: *x",
        b"---",
        b"{{ x }}",
        b"sep=;",
        b":vars",
        b":children",
    ),
    *(b"D:(A;;FA;;;BA)", b"\xe2\x80\xae", b"\xf0\x9f\x92\xa9", b"\xc3\x28", b"../../", b"~", b","),
)
_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**32, -(2**31), 2**63, 2**64, -(2**63), 10**30),
    *(0.5, -0.0, 1e300, 1e-300, float("nan"), float("inf"), "", " ", "\0", "\x1b[31m", "\ud800"),
    *("=1+1", "<b>", "a" * 3000, "1 2 3", "Stopped", "12288", "0x80070005", "2016-13-45T99:99:99Z"),
    *([], {}, [[]], {"": ""}, {"!": 5}, {"!": -1}, {"!": "x"}, {"!": [5, "a b"]}, {"!": {"a": 1}}),
    *(["Running", "Auto"], ["x", ["12", "0xC004F074"], 3], [1, 2], ["a", "b", "c"], "9999-12-31"),
)


def mutated(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """The input after one to six changes."""
    for _ in range(1 + int(chance.random() ** 2 * 6)):
        data = chance.choice(_BYTES)(data, others, chance)
    return data[:MAX_INPUT]


def mutated_json(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """A JSON document after one to eight changes of its values, still a document.

    Each change is written out before the next: arrays repeated within repeated
    arrays would be gigabytes of text.
    """
    value, made = json.loads(data), data
    for _ in range(1 + int(chance.random() ** 2 * 8)):
        changed = _changed(value, others, chance)
        text = json.dumps(changed)
        if len(text) <= MAX_INPUT:
            value, made = changed, text.encode("ascii")
    return made


def _at(data: bytes, chance: random.Random) -> int:
    return chance.randrange(len(data) + 1)


def _slice(data: bytes, chance: random.Random, most: int = 60) -> tuple[int, int]:
    start = _at(data, chance)
    return start, min(len(data), start + chance.randrange(1, most))


def _flip(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    if not data:
        return b"\0"
    at = chance.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :]


def _insert(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    at = _at(data, chance)
    return data[:at] + chance.choice(_WORDS) + data[at:]


def _random(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = _slice(data, chance)
    return data[:start] + chance.randbytes(chance.randrange(12)) + data[end:]


def _delete(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = _slice(data, chance)
    return data[:start] + data[end:]


def _cut(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    return data[: _at(data, chance)]


def _repeat(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    """A piece many times over, now and then very many: what is quadratic shows here."""
    start, end = _slice(data, chance)
    times = chance.randrange(2, 6) if chance.random() < 0.98 else chance.randrange(500, 20_000)
    return data[:end] + data[start:end] * times + data[end:]


def _splice(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    other = chance.choice(others)
    start, end = _slice(other, chance, 400)
    at = _at(data, chance)
    return data[:at] + other[start:end] + data[at:]


def _move(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = _slice(data, chance, 200)
    rest = data[:start] + data[end:]
    at = _at(rest, chance)
    return rest[:at] + data[start:end] + rest[at:]


_Bytes = Callable[[bytes, Sequence[bytes], random.Random], bytes]
_BYTES: tuple[_Bytes, ...] = (
    *(_flip, _flip, _insert, _insert, _random, _delete, _delete, _cut, _repeat, _splice, _move),
)


def _changed(value: Any, others: Sequence[bytes], chance: random.Random) -> Any:
    """A copy with one value, somewhere in it, replaced, renamed, removed or doubled."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        return _in_object(value, others, chance)
    if isinstance(value, list) and value and chance.random() < 0.9:
        return _in_array(value, others, chance)
    return _another(value, others, chance)


def _in_object(value: dict[str, Any], others: Sequence[bytes], chance: random.Random) -> Any:
    key, copy, drawn = chance.choice(list(value)), dict(value), chance.random()
    if drawn < 0.06:
        del copy[key]
    elif drawn < 0.12:
        copy[str(chance.choice(_ODD))] = copy.pop(key)
    elif drawn < 0.16:
        copy["!"] = chance.choice(_ODD)
    else:
        copy[key] = _changed(copy[key], others, chance)
    return copy


def _in_array(value: list[Any], others: Sequence[bytes], chance: random.Random) -> Any:
    at, copy, drawn = chance.randrange(len(value)), list(value), chance.random()
    if drawn < 0.08:
        del copy[at]
    elif drawn < 0.16:
        copy.insert(at, copy[at])
    elif drawn < 0.18:
        copy += [copy[at]] * chance.randrange(200)
    else:
        copy[at] = _changed(copy[at], others, chance)
    return copy


def _another(value: Any, others: Sequence[bytes], chance: random.Random) -> Any:
    drawn = chance.random()
    if isinstance(value, str) and drawn < 0.5:
        raw = value.encode("utf-8", "surrogatepass")
        return mutated(raw, others, chance)[:5000].decode("utf-8", "replace")
    if isinstance(value, int | float) and drawn < 0.5:
        return chance.choice((value + 1, -value, value * 1000, value * 2**20, str(value)))
    if drawn < 0.55:
        nested: Any = value
        for _ in range(chance.randrange(1, 40)):
            nested = [nested] if chance.random() < 0.5 else {"a": nested}
        return nested
    return chance.choice(_ODD)
