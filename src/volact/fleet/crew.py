"""One run over a fleet: who is in which phase, what is told of it, and when it stops.

In which order servers end is ``stream``'s; when a rollout has to stop is
decided in ``course``, which servers go first in ``canary``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Literal, TypeVar

import msgspec

from volact.errors import ErrorKind
from volact.fleet.canary import choose
from volact.fleet.control import Control
from volact.fleet.course import Course, Rules
from volact.fleet.events import Entered, Finished, Started, Stopped
from volact.fleet.pace import Pace
from volact.fleet.stream import Limits, Loss, Stream
from volact.fleet.turns import Turns
from volact.model.report import ServerReport
from volact.model.server import Server
from volact.model.text import Text, say
from volact.pipeline import Job, Notify, Phase, lost_row

I_ = TypeVar("I_")
R = TypeVar("R")
Kind = tuple[str, ...]

# Beyond a server's deadline: for removing what was put there and saying
# goodbye.  The pipeline keeps the deadline itself; this is the net under it.
_GRACE_S = 8.0

_DOING: dict[Phase | None, Text] = {
    None: say("before it was begun"),
    "connect": say("while connecting"),
    "probe": say("while it was being examined"),
    "apply": say("while steps were being applied: look again with check"),
    "verify": say("after steps were sent: look again with check"),
}
# Whatever was sent there did nothing.
_UNTOUCHED: frozenset[ErrorKind] = frozenset({"busy", "not-begun"})


class Views(msgspec.Struct, Generic[I_, R], frozen=True):
    """How a crew sees what it is given and what comes out."""

    server: Callable[[I_], Server]
    report: Callable[[R], ServerReport]
    lost: Callable[[I_, ServerReport], R]
    kind: Callable[[I_], Kind]


class Crew(Generic[I_, R]):
    """One run: who is in which phase since when, and what is told of it."""

    def __init__(
        self,
        views: Views[I_, R],
        work: Callable[[I_, Job, Notify], Awaitable[R]],
        job: Job,
        control: Control,
    ) -> None:
        self._views = views
        self._work = work
        self._control = control
        self._tell = control.on_event
        self._phases: dict[str, Phase] = {}
        self._begun: dict[str, float] = {}
        self._sent: set[str] = set()
        self._course = Course(Rules())
        self._stream: Stream[I_, R] | None = None
        self._turns = Turns(control.kms_concurrency, self._unhurried)
        retry = msgspec.structs.replace(job.retry, goes_on=self._goes_on)
        self._job = msgspec.structs.replace(job, turn=self._turns.at, retry=retry)

    async def run(self, items: Iterable[I_]) -> AsyncGenerator[R, None]:
        """Every item's result, whatever happens to it."""
        control = self._control
        pace = Pace(control.pace, control.chance) if control.pace is not None else None
        ends = None if control.run_s is None else _clock() + control.run_s
        with self._listening():
            for some in self._stages(items):
                limits = Limits(
                    concurrency=control.concurrency,
                    item_s=self._job.deadline_s + _GRACE_S,
                    run_s=None if ends is None else max(0.0, ends - _clock()),
                    pace=pace,
                )
                results = self._results(some, limits)
                try:
                    async for result in results:
                        yield result
                finally:
                    await results.aclose()

    async def _results(self, items: Iterable[I_], limits: Limits) -> AsyncGenerator[R, None]:
        """What comes of some of the items."""
        stream = Stream(items, self._one, self._lost, limits)
        self._stream = stream
        if self._course.stop is not None:
            stream.close("stopped")
        self._heed()
        results = stream.results()
        try:
            async for result in results:
                report = self._views.report(result)
                self._phases.pop(report.name, None)
                self._begun.pop(report.name, None)
                self._tell(Finished(report))
                yield result
        finally:
            await results.aclose()

    def _stages(self, items: Iterable[I_]) -> Iterator[Iterable[I_]]:
        """The canaries, and when they have ended the others; without canaries all at once."""
        control = self._control
        if control.canary is None and control.max_failures is None:
            yield items
            return
        every: Sequence[I_] = items if isinstance(items, Sequence) else list(items)
        total = len(every)
        canary = control.canary
        number = 0 if canary is None else canary.share.at_least_one(total)
        # Where all are canaries there is nobody left to be spared.
        number = 0 if number >= total else number
        first, others = choose(
            every, number, self._views.kind, lambda item: self._views.server(item).name
        )
        most = control.max_failures
        self._course = Course(
            Rules(
                canaries=len(first),
                of_canaries=canary.may_fail if canary is not None else 0,
                of_all=None if most is None else most.at_most(total),
            )
        )
        if first:
            yield first
        yield others

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Meanwhile ``drain`` and ``stop`` are heard."""
        events = (self._control.drain, self._control.stop)
        ears = [asyncio.ensure_future(self._hear(event)) for event in events if event is not None]
        try:
            yield
        finally:
            for ear in ears:
                ear.cancel()

    async def _hear(self, event: asyncio.Event) -> None:
        await event.wait()
        self._heed()

    def _heed(self) -> None:
        """Do what somebody who interrupts has asked for so far."""
        stop, drain, stream = self._control.stop, self._control.drain, self._stream
        hard = stop is not None and stop.is_set()
        if stream is None or not (hard or (drain is not None and drain.is_set())):
            return
        self._halted("interrupted")
        if hard:
            stream.halt("interrupted")
        else:
            stream.close("interrupted")

    def _goes_on(self) -> bool:
        return self._course.stop is None

    def _halted(self, why: Literal["interrupted", "run-time"]) -> None:
        before = self._course.stop
        self._course.halted(why)
        self._stopped(before is None)

    def _stopped(self, newly: bool) -> None:
        """Tell once that nothing more is begun, and let those go who wait for a turn."""
        stop = self._course.stop
        if newly and stop is not None:
            self._turns.close(say("not changed: {why}", why=stop.sentence))
            self._tell(Stopped(stop))

    @contextmanager
    def _unhurried(self) -> Iterator[None]:
        assert self._stream is not None, "whoever works, works for a stream"
        with self._stream.unhurried():
            yield

    async def _one(self, item: I_) -> R:
        name = self._views.server(item).name
        self._begun[name] = _clock()
        self._tell(Started(name))
        result = await self._work(item, self._job, self._note)
        self._count(self._views.report(result))
        return result

    def _count(self, row: ServerReport) -> None:
        """Draw the conclusion for the servers that are not begun yet."""
        untouched = row.error is not None and row.error.kind in _UNTOUCHED
        going_on = self._course.stop is None
        self._course.ended(row, sent=row.name in self._sent and not untouched)
        self._sent.discard(row.name)
        if going_on and self._course.stop is not None and self._stream is not None:
            self._stream.close("stopped")
            self._stopped(newly=True)

    def _note(self, name: str, phase: Phase) -> None:
        self._phases[name] = phase
        if phase == "apply":
            self._sent.add(name)
        self._tell(Entered(name, phase))

    def _lost(self, item: I_, loss: Loss) -> R:
        """The result of an item that has none of its own."""
        if loss.cause == "run-time":
            self._halted("run-time")
        server = self._views.server(item)
        row = self._row(server, loss)
        if loss.begun:
            self._count(row)
        return self._views.lost(item, row)

    def _row(self, server: Server, loss: Loss) -> ServerReport:
        begun = self._begun.get(server.name)
        return lost_row(
            server,
            self._kind(server, loss),
            self._message(server, loss),
            elapsed_s=0.0 if begun is None else _clock() - begun,
        )

    def _kind(self, server: Server, loss: Loss) -> ErrorKind:
        """A look that was given up because the run ended says nothing about its server."""
        run_ended = loss.cause in {"interrupted", "run-time"}
        if not loss.begun or (run_ended and server.name not in self._sent):
            return "not-begun"
        return "protocol" if loss.cause == "defect" else "timeout"

    def _message(self, server: Server, loss: Loss) -> Text:
        doing = _DOING[self._phases.get(server.name)]
        if loss.cause == "stopped" and self._course.stop is not None:
            return say("not begun: {why}", why=self._course.stop.sentence)
        if loss.cause == "interrupted":
            return say("interrupted {doing}", doing=doing)
        if loss.cause == "run-time":
            return say("the time of the run was up {doing}", doing=doing)
        if loss.cause == "deadline":
            return say(
                "not finished after {seconds} s, given up {doing}",
                seconds=f"{self._job.deadline_s:g}",
                doing=doing,
            )
        error = loss.error
        return say(
            "a defect of volact, please report it: {error}",
            error=f"{type(error).__name__}: {error}",
        )


def _clock() -> float:
    """The event loop's clock, by which its deadlines end too."""
    return asyncio.get_running_loop().time()
