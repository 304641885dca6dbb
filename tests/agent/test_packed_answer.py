"""Output that is packed to fit into 4,096 bytes of each stream, and what comes of a bad one."""

from __future__ import annotations

import base64
import gzip
import random

import pytest

from volact.agent.packed_answer import PART, answered

MOST = 24 * 1024


def packed(data: bytes) -> tuple[bytes, bytes]:
    """The two streams, as the PowerShell writes them."""
    text = base64.b64encode(gzip.compress(data))
    first, second = text[:PART], text[PART : 2 * PART]
    return b"volact:%d:%s" % (len(text), first), b"volact:" + second if second else b""


@pytest.mark.parametrize("size", [0, 1, 2_000, 2_990, 3_000, 3_010, 5_900])
def test_what_fits_comes_whole(size: int) -> None:
    data = random.Random(size).randbytes(size)
    stdout, stderr = packed(data)
    assert max(len(stdout), len(stderr)) <= 4096
    assert answered(b"before\r\n" + stdout + b"\r\n", b"a warning\r\n" + stderr, MOST) == (
        data,
        b"a warning\r\n",
        0,
    )


def test_what_does_not_fit_is_told() -> None:
    stdout, stderr = packed(random.Random(1).randbytes(6_100))
    assert answered(stdout, stderr, MOST) == (b"", b"", -1)
    stdout, _ = packed(random.Random(1).randbytes(4_000))
    assert answered(stdout, b"a warning", MOST) == (b"", b"a warning", -1)


def test_output_that_unpacks_to_more_than_is_taken_is_told() -> None:
    stdout, stderr = packed(b"x" * 1_000_000)
    found = answered(stdout, stderr, MOST)
    assert found is not None
    assert (found[0], found[2]) == (b"x" * MOST, -1)


@pytest.mark.parametrize("stdout", [b"", b"VOLACT1 plain", b"volact:9999999999:A", b"volact::A"])
def test_what_is_in_no_such_form_is_left_to_its_reader(stdout: bytes) -> None:
    assert answered(stdout, b"", MOST) is None


@pytest.mark.parametrize(
    "stdout", [b"volact:4:@@@@", b"volact:4:AAAA", b"volact:0:", b"volact:3:A-A"]
)
def test_what_is_damaged_is_told(stdout: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        answered(stdout, b"", MOST)


def test_one_changed_character_is_noticed_wherever_it_is() -> None:
    data = b"VOLACT1 " + random.Random(1).randbytes(300).hex().encode()
    stdout, _ = packed(data)
    header = stdout.index(b":", 8) + 1
    for at in range(header + 14, len(stdout)):  # before that are the time and the system
        changed = stdout[:at] + bytes([stdout[at] ^ 1]) + stdout[at + 1 :]
        try:
            found = answered(changed, b"", MOST)
        except ValueError:
            continue
        assert found is None or found[0] == data  # padding bits mean nothing
