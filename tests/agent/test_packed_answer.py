"""Output that is packed to fit into 4,096 bytes of each stream, and what comes of a bad one."""

from __future__ import annotations

import base64
import gzip
import itertools
import random

import pytest

from volact.agent.packed_answer import AT_ONCE, MOST, PART, Part, part_of, unpacked

TAKEN = 24 * 1024


def packed(data: bytes, start: int = 0) -> tuple[bytes, bytes]:
    """The two streams, as the PowerShell writes them."""
    text = base64.b64encode(gzip.compress(data))
    first, second = text[start : start + PART], text[start + PART : start + AT_ONCE]
    return b"volact:%d:%s" % (len(text), first), b"volact:" + second if second else b""


def answered(stdout: bytes, stderr: bytes = b"") -> tuple[bytes, int] | None:
    part = part_of(stdout, stderr)
    return None if part is None else unpacked(part, TAKEN)


@pytest.mark.parametrize("size", [0, 1, 2_000, 2_990, 3_000, 3_010, 5_900])
def test_what_fits_comes_whole(size: int) -> None:
    data = random.Random(size).randbytes(size)
    stdout, stderr = packed(data)
    assert max(len(stdout), len(stderr)) <= 4096
    part = part_of(b"before\r\n" + stdout + b"\r\n", b"a warning\r\n" + stderr)
    assert part is not None
    assert (unpacked(part, TAKEN), part.stderr, part.goes_on) == (
        (data, 0),
        b"a warning\r\n",
        False,
    )


@pytest.mark.parametrize("size", [6_100, 12_000, 24_000])
def test_what_is_more_comes_in_parts(size: int) -> None:
    data = random.Random(size).randbytes(size)
    part = Part(1, b"")
    rounds = 0
    while rounds == 0 or part.goes_on:
        part = part_of(*packed(data, len(part.text)), part.text) or part
        rounds += 1
    assert unpacked(part, TAKEN) == (data, 0)
    assert rounds == -(-part.size // AT_ONCE) > 1


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_parts_in_another_order_or_of_another_answer_make_no_answer(length: int) -> None:
    """Repeated, left out, exchanged, or of an answer of the same size: told, or passed over."""
    data, other = (random.Random(seed).randbytes(15_000) for seed in (1, 2))
    parts = [packed(data, start) for start in (0, AT_ONCE, 2 * AT_ONCE)]
    parts += [packed(other, start) for start in (0, AT_ONCE, 2 * AT_ONCE)]
    whole = 0
    for chosen in itertools.product(range(6), repeat=length):
        part = Part(1, b"")
        for number in chosen:
            part = part_of(*parts[number], part.text) or part
        try:
            found = unpacked(part, TAKEN)
        except ValueError:
            continue
        if found != (b"", -1):
            assert found == (data if chosen[0] == 0 else other, 0)
            assert chosen in ((0, 1, 2), (3, 4, 5))
            whole += 1
    assert whole == (2 if length == 3 else 0)


def test_what_does_not_come_is_told() -> None:
    too_much = random.Random(1).randbytes(MOST)
    assert answered(*packed(too_much)) == (b"", -1)
    stdout, _ = packed(random.Random(1).randbytes(4_000))
    part = part_of(stdout, b"a warning")
    assert part is not None
    assert (part.goes_on, unpacked(part, TAKEN), part.stderr) == (False, (b"", -1), b"a warning")


def test_output_that_unpacks_to_more_than_is_taken_is_told() -> None:
    assert answered(*packed(b"x" * 1_000_000)) == (b"x" * TAKEN, -1)


@pytest.mark.parametrize("stdout", [b"", b"VOLACT1 plain", b"volact:9999999999:A", b"volact::A"])
def test_what_is_in_no_such_form_is_left_to_its_reader(stdout: bytes) -> None:
    assert answered(stdout) is None


@pytest.mark.parametrize(
    "stdout", [b"volact:4:@@@@", b"volact:4:AAAA", b"volact:0:", b"volact:3:A-A"]
)
def test_what_is_damaged_is_told(stdout: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        answered(stdout)


def test_one_changed_character_is_noticed_wherever_it_is() -> None:
    data = b"VOLACT1 " + random.Random(1).randbytes(300).hex().encode()
    stdout, _ = packed(data)
    header = stdout.index(b":", 8) + 1
    for at in range(header + 14, len(stdout)):  # before that are the time and the system
        changed = stdout[:at] + bytes([stdout[at] ^ 1]) + stdout[at + 1 :]
        try:
            found = answered(changed)
        except ValueError:
            continue
        assert found is None or found[0] == data  # padding bits mean nothing
