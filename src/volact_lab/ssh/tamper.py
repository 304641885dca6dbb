"""What a bad line does to an answer: cuts it, or flips bytes in it."""

from __future__ import annotations

import random
import re

_MARK = re.compile(rb"VOLACT1 |volact:\d+:")  # of an answer as it is, and of a packed one


def tamper(output: bytes, line: str, chance: random.Random) -> bytes:
    """The output as it arrives over a line of that kind."""
    mark = _MARK.search(output)
    if mark is None:
        return output
    start = mark.start()
    if line == "truncated":
        return output[: start + (len(output) - start) // 2]
    if line == "garbled":
        return _flip(output, mark.end() + 40, chance)
    return output


def _flip(output: bytes, first: int, chance: random.Random) -> bytes:
    data = bytearray(output)
    places = [at for at in range(first, len(data)) if chr(data[at]).isalnum()]
    for at in chance.sample(places, min(5, len(places))):
        data[at] ^= 1
    return bytes(data)
