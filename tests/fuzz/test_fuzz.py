"""Readers of what others wrote: odd input is taken or refused in one line, and in time.

The quick form of ``bench/chaos/fuzz_run.py``: every target with a few hundred
inputs.  The same seed feeds the same inputs.
"""

from __future__ import annotations

import math
import sys
import time
from cProfile import Profile

import pytest
from fuzz_base import Crash, Target, judge
from fuzz_run import TARGETS, chunks, run, table
from growing import SHAPES

from volact.errors import InputError

QUICK = 20_000


def text_of(crashes: list[Crash]) -> str:
    return "\n\n".join(f"{crash.data[:500]!r}\n{crash.why}" for crash in crashes)


@pytest.mark.parametrize("name", TARGETS)
def test_odd_input_is_taken_or_refused(name: str) -> None:
    count = sum(n for target, n, _ in chunks(QUICK, 1, TARGETS) if target == name)
    found = run(count, 1, 0, [name])[name]
    assert not found.crashes, text_of(found.crashes)
    assert found.inputs == count


@pytest.mark.parametrize("name", TARGETS)
def test_real_input_is_taken(name: str) -> None:
    """A target whose own seeds are refused would test nothing."""
    seeds = TARGETS[name].seeds()
    outcomes = [judge(TARGETS[name], seed)[0] for seed in seeds]
    assert not [outcome for outcome in outcomes if isinstance(outcome, Crash)]
    assert "taken" in outcomes


@pytest.mark.parametrize(("name", "what"), SHAPES)
def test_work_grows_no_faster_than_input(name: str, what: str) -> None:
    """Eight times as much takes at most some twenty times the calls: never its square.

    Calls are counted, not seconds: they are the same on every machine.  A call that
    does not return is still told as one that hangs.
    """
    shape = SHAPES[name, what]

    def calls(size: int) -> int:
        data, counter, before = shape(size), Profile(), sys.getprofile()
        counter.enable()
        try:
            outcome, _ = judge(TARGETS[name], data, limit_s=math.inf)
        finally:
            counter.disable()
            sys.setprofile(before)
        assert not isinstance(outcome, Crash), outcome.why
        return sum(one.callcount for one in counter.getstats())

    calls(10)  # what is loaded or compiled once is there
    small, large = calls(500), calls(4000)
    assert large < 24 * max(small, 100)


def test_crashes_and_slowness_are_seen() -> None:
    def feed(data: bytes) -> None:
        if data == b"slow":
            ends = time.process_time() + 0.2
            while time.process_time() < ends:
                pass
        elif data == b"lines":
            raise InputError("two\nlines")
        elif data == b"refused":
            raise InputError("one line")
        else:
            raise KeyError(data)

    target = Target("x", "x", "bytes", lambda: [b""], feed, 1.0)
    assert judge(target, b"refused")[0] == "refused"
    for data in (b"lines", b"crash"):
        assert isinstance(judge(target, data)[0], Crash)
    assert judge(target, b"slow")[0] == "taken"
    outcome, took = judge(target, b"slow", limit_s=0.1)
    assert isinstance(outcome, Crash)
    assert f"took {took:.1f} s" in outcome.why


def test_the_same_seed_gives_the_same_run() -> None:
    one, two = (run(200, 7, 0, ["sddl", "address"]) for _ in range(2))
    for name in one:
        assert (one[name].taken, one[name].refused) == (two[name].taken, two[name].refused)
    assert "| `sddl` |" in table(one, 1.0)


def odd_output() -> bytes:
    """Output over WinRM that is no Base64, as the third answer of a visit."""
    (text,) = [seed for seed in TARGETS["winrm"].seeds() if b"ReceiveResponse" in seed]
    odd = text.replace(b"Vk9M", "V\ufeff9M".encode())
    return odd + b" " * ((2 - len(odd)) % 3)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("address", b"ssh://[::1%2ssh://[::1%255e0]:2222"),
        ("csv", b'sep=\x1c\n"name\x1caddress"x'),
        ("csv", b'sep=;\n"name;address\n'),
        ("toml", b'[[server]]\nname="a"\naddress="ssh://h"\nkey-file="~missing-here/k"\n'),
        ("cvm-list", b""),
        ("winrm", odd_output()),
    ],
)
def test_what_was_a_crash_is_none_any_more(name: str, data: bytes) -> None:
    assert judge(TARGETS[name], data)[0] in ("taken", "refused")
