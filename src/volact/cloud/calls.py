"""Calls of a cloud's API: in threads, paced, repeated where safe, lists to their end.

Other programs of the same account draw on the same limit, so a call may be refused all the same.
What is asked and what a failure means is each cloud's own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from volact.bounded.http_client import newest_answer
from volact.bounded.stream import TooLongError, limit_passed
from volact.cloud.base import ApiError
from volact.errors import one_line
from volact.model.text import say
from volact.threads import BlockingCalls

T = TypeVar("T")
S = TypeVar("S", bound=Hashable)
P = TypeVar("P")

# Of one list: an API that never comes to its end is not believed.
_MOST_PAGES, _MOST_BYTES, _LIST_S = 2000, 64 * 1024 * 1024, 300.0
# Waits between the tries of one call.  A query that is repeated anyway needs
# no more; a whole fleet that was turned away once comes through.
PAUSES_S = (0.5, 1.0, 2.0, 4.0)
# An API may ask for a longer wait (``Retry-After``), but cannot hold up a run with it.
LONGEST_PAUSE_S = 60.0


class Value(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A part of an answer; fields are named as in the API, but for their case."""


class PacedCalls:
    """Asks an API within its limits.

    Args:
        limits: calls a second, by action.
        threads: where the calls block.
        pauses_s: between the tries of one call.
    """

    def __init__(
        self,
        limits: Mapping[str, float],
        threads: BlockingCalls,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        self._threads = threads
        self._pauses_s = pauses_s
        self._limiters = {action: CallRateLimiter(limit) for action, limit in limits.items()}

    async def paced(self, action: str, call: Callable[[], T], *, safe: bool) -> T:
        """The result of a call, or ``ApiError``.

        A ``safe`` call may be made twice, another only when nothing was begun.
        """
        pauses, begun = iter(self._pauses_s), False
        while True:
            await self._limiters[action].take()
            try:
                return await self._threads.run(lambda: _timed(call))
            except ApiError as error:
                begun = error.may_have_begun = begun or error.may_have_begun
                passed = limit_passed(error)
                if passed is not None and not isinstance(passed, TooLongError):
                    # It would do so again.
                    raise _unexpected(one_line(str(passed))) from error
                pause, asked = next(pauses, None), error.after_s
                if (
                    pause is None
                    or error.again == "never"
                    or (error.again == "unsure" and not safe)
                ):
                    raise
            await asyncio.sleep(max(pause, min(asked, LONGEST_PAUSE_S)))


def _timed(call: Callable[[], T]) -> T:
    """In a thread: a call whose failure says how long the API asks to wait."""
    newest_answer.retry_after = ""
    try:
        return call()
    except ApiError as error:
        error.after_s = error.after_s or read_retry_after(newest_answer.retry_after, time.time())
        raise


class RegionKeys(Protocol):
    """The keys of an account, with which an SDK makes its clients."""

    def client(self, service: Any, region: str) -> Any:
        """A client of one service in one region; it may be used by several threads."""

    def redact(self, text: str) -> str:
        """The text without what must not be seen in it."""


class RegionCalls(PacedCalls):
    """Calls of one account in one region, through the clients of its SDK."""

    limits: ClassVar[Mapping[str, float]]

    def __init__(
        self,
        region: str,
        keys: RegionKeys,
        threads: BlockingCalls,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        super().__init__(self.limits, threads, pauses_s)
        self.region = region
        self._keys = keys
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The SDK's client of a service."""
        if service not in self._clients:
            self._clients[service] = self._keys.client(service, self.region)
        return self._clients[service]

    async def asked(
        self,
        action: str,
        call: Callable[[], object],
        failure: Callable[[Exception, Callable[[str], str]], ApiError],
        answer: type[T],
        *,
        safe: bool,
    ) -> T:
        """One call and its answer as a value of our own, or ``ApiError``."""

        def once() -> T:
            try:
                got = call()
            except Exception as error:
                raise failure(error, self._keys.redact) from error
            return read_answer(action, got, answer)

        return await self.paced(action, once, safe=safe)


def read_retry_after(text: str, now: float) -> float:
    """The seconds of a ``Retry-After``, a number or a date; 0 where it holds neither."""
    try:
        if text[:1].isdecimal():
            return float(text)
        when = parsedate_to_datetime(text)
        # A date of HTTP is in UTC, also in the form that names no zone.
        return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError):
        return 0.0


def read_answer(action: str, got: object, answer: type[T]) -> T:
    """What a call brought, JSON or objects, as a value of our own; ``ApiError`` for another form.

    Of JSON only what the value has is made: a few bytes of it can be many objects.
    """
    try:
        if isinstance(got, bytes):
            return msgspec.json.decode(got, type=answer)
        return msgspec.convert(got, answer, from_attributes=True)
    except (ValueError, RecursionError) as error:  # of another form, no UTF-8, or too deep
        raise _unexpected(one_line(f"{action}: {error}")) from error


async def all_pages(
    ask: Callable[[S], Awaitable[P]],
    rows: Callable[[P], Sequence[T]],
    following: Callable[[P, int], S | None],
    first: S,
) -> tuple[T, ...]:
    """The rows of every page, asked for one after another.

    Args:
        ask: the page at an offset or a token.
        rows: of a page.
        following: where the next page is, by a page and the rows so far; ``None`` at the end.
        first: where the first page is.
    """
    found: list[T] = []
    size, until, where = 0, time.monotonic() + _LIST_S, first
    asked: set[S] = set()
    for _ in range(_MOST_PAGES):
        asked.add(where)
        page = await ask(where)
        found += rows(page)
        after = following(page, len(found))
        if after is None:
            return tuple(found)
        if after in asked:
            raise _unexpected(say("a list whose pages repeat"))
        where = after
        size += len(repr(rows(page)))  # also of text that no encoding takes
        if size > _MOST_BYTES or time.monotonic() > until:
            break
    raise _unexpected(
        say(
            "a list of more than {pages} pages, or {size} MB or {seconds} s",
            pages=_MOST_PAGES,
            size=_MOST_BYTES >> 20,
            seconds=f"{_LIST_S:g}",
        )
    )


def _unexpected(text: str) -> ApiError:
    code = "UnexpectedAnswer"
    message = say("the API does not answer as agreed ({code}: {text})", code=code, text=text)
    return ApiError("protocol", message, code=code)


# The part of the limit that may come at once.  Together with what comes after
# it, it never goes beyond the limit within any one second.
_BURST = 0.25


class CallRateLimiter:
    """Lets ``limit`` calls through in any one second, and makes the others wait."""

    def __init__(
        self,
        limit: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._burst = max(1.0, limit * _BURST)
        self._rate = max(limit - self._burst, limit / 2)  # a limit of one has a burst of one
        self._clock = clock
        self._sleep = sleep
        self._tokens = self._burst
        self._filled = clock()

    async def take(self) -> None:
        """Wait until one more call may be made; callers get turns in the order of asking."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        # Below zero are the turns that are promised already.
        self._tokens -= 1
        if self._tokens < 0:
            await self._sleep(-self._tokens / self._rate)
