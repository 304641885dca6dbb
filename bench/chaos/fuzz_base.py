"""What a fuzz target is, and what counts as a crash.

A target takes bytes and either takes them or refuses them with a
``VolactError`` of one line.  Anything else is a crash, and so is one input
that takes longer than its time.
"""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Literal

from volact.errors import VolactError

Outcome = Literal["taken", "refused"]

# CPU time for one input of at most 200 KB; usual ones take well under 1 ms.  A short
# pattern of an inventory may stand for 100,000 servers, and these take their time.
LIMIT_S = 5.0
# CPU time after which an input is abandoned at once: of wall time a busy machine takes any.
_HANG_S = 30.0


@dataclass(frozen=True)
class Target:
    """One reader of what others wrote, and real inputs for it.

    ``kind`` decides how inputs are changed; ``share`` is its part of a run.  What
    is ``typed`` is repeated to its author, line breaks made visible.
    """

    name: str
    what: str
    kind: Literal["bytes", "json"]
    seeds: Callable[[], Sequence[bytes]]
    feed: Callable[[bytes], None]
    share: float
    typed: bool = False


@dataclass(frozen=True)
class Crash:
    """An input that was neither taken nor refused as it should be."""

    target: str
    why: str
    data: bytes


class _Hang(BaseException):
    """An input takes longer than the target waits."""


def judge(target: Target, data: bytes, limit_s: float = LIMIT_S) -> tuple[Outcome | Crash, float]:
    """Feed one input: what came of it, and the CPU seconds it took."""
    begun = time.process_time()
    outcome = _fed(target, data)
    took = time.process_time() - begun
    if took > limit_s and not isinstance(outcome, Crash):
        outcome = Crash(target.name, f"took {took:.1f} s for {len(data)} bytes", data)
    return outcome, took


def _fed(target: Target, data: bytes) -> Outcome | Crash:
    try:
        with _alarm():
            target.feed(data)
    except VolactError as error:
        line = error.line()
        if not target.typed and ("\n" in line or "\r" in line):
            return Crash(target.name, f"a message of several lines: {line!r}", data)
        return "refused"
    except _Hang:
        return Crash(target.name, f"hangs for more than {_HANG_S:g} s", data)
    except Exception:
        return Crash(target.name, traceback.format_exc(limit=-6), data)
    return "taken"


@contextmanager
def _alarm() -> Iterator[None]:
    before = signal.signal(signal.SIGPROF, _given_up)
    signal.setitimer(signal.ITIMER_PROF, _HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _given_up(_number: int, _frame: FrameType | None) -> None:
    raise _Hang
