"""The runs over a fleet: all the way, or plan first and apply what was agreed to.

Each is an asynchronous stream of rows in the order in which servers finish.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import msgspec

from volact.fleet.events import Entered, Finished, OnEvent, Started, unheard
from volact.fleet.stream import Limits, Loss, Stream
from volact.model.report import ServerReport
from volact.model.server import Server
from volact.pipeline import (
    Job,
    Notify,
    Outcome,
    Phase,
    apply_one,
    examine_one,
    lost_row,
    run_one,
)
from volact.transports.base import Opener

I_ = TypeVar("I_")
R = TypeVar("R")

# Beyond a server's deadline: for removing what was put there and saying
# goodbye.  The pipeline keeps the deadline itself; this is the net under it.
_GRACE_S = 8.0

_DOING: dict[Phase | None, str] = {
    None: "before it was begun",
    "connect": "while connecting",
    "probe": "while it was being examined",
    "apply": "while steps were being applied: look again with check",
    "verify": "after steps were sent: look again with check",
}


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is conducted: how many at once, how long, who is told, who may stop it.

    ``run_s`` bounds the whole run; the time of one server is its job's
    ``deadline_s``.  Setting ``stop`` gives up what runs: the servers concerned
    get rows that say so.
    """

    concurrency: int = 50
    run_s: float | None = None
    on_event: OnEvent = unheard
    stop: asyncio.Event | None = None


_DEFAULT = Control()


def run_fleet(
    servers: Iterable[Server], opener: Opener, job: Job, control: Control = _DEFAULT
) -> AsyncGenerator[ServerReport, None]:
    """Check, plan or activate every server, in one pass each."""
    crew = _Crew[Server, ServerReport](_itself, _itself, job, control)
    return crew.run(servers, lambda server, note: run_one(server, opener, job, note), _row_alone)


def plan_fleet(
    servers: Iterable[Server], opener: Opener, job: Job, control: Control = _DEFAULT
) -> AsyncGenerator[Outcome, None]:
    """Look at every server and plan, change nothing."""
    crew = _Crew[Server, Outcome](_itself, _report_of, job, control)
    return crew.run(servers, lambda server, note: examine_one(server, opener, job, note), _outcome)


def apply_fleet(
    outcomes: Iterable[Outcome], opener: Opener, job: Job, control: Control = _DEFAULT
) -> AsyncGenerator[ServerReport, None]:
    """Apply what was planned before: exactly the steps that were shown."""
    crew = _Crew[Outcome, ServerReport](_server_of, _itself, job, control)
    return crew.run(outcomes, lambda look, note: apply_one(look, opener, job, note), _row_after)


class _Crew(Generic[I_, R]):
    """One run: who is in which phase since when, and what is told of it."""

    def __init__(
        self,
        server_of: Callable[[I_], Server],
        report_of: Callable[[R], ServerReport],
        job: Job,
        control: Control,
    ) -> None:
        self._server_of = server_of
        self._report_of = report_of
        self._control = control
        self._deadline_s = job.deadline_s
        self._tell = control.on_event
        self._phases: dict[str, Phase] = {}
        self._begun: dict[str, float] = {}

    async def run(
        self,
        items: Iterable[I_],
        work: Callable[[I_, Notify], Awaitable[R]],
        lost: Callable[[I_, ServerReport], R],
    ) -> AsyncGenerator[R, None]:
        """Every item's result, whatever happens to it."""
        limits = Limits(
            concurrency=self._control.concurrency,
            item_s=self._deadline_s + _GRACE_S,
            run_s=self._control.run_s,
        )
        stream = Stream(
            items,
            lambda item: self._one(item, work),
            lambda item, loss: lost(item, self._row(self._server_of(item), loss)),
            limits,
        )
        results = stream.results(self._control.stop)
        try:
            async for result in results:
                report = self._report_of(result)
                self._phases.pop(report.name, None)
                self._begun.pop(report.name, None)
                self._tell(Finished(report))
                yield result
        finally:
            await results.aclose()

    async def _one(self, item: I_, work: Callable[[I_, Notify], Awaitable[R]]) -> R:
        name = self._server_of(item).name
        self._begun[name] = time.monotonic()
        self._tell(Started(name))
        return await work(item, self._note)

    def _note(self, name: str, phase: Phase) -> None:
        self._phases[name] = phase
        self._tell(Entered(name, phase))

    def _row(self, server: Server, loss: Loss) -> ServerReport:
        begun = self._begun.get(server.name)
        return lost_row(
            server,
            "protocol" if loss.cause == "defect" else "timeout",
            self._message(server, loss),
            elapsed_s=0.0 if begun is None else time.monotonic() - begun,
        )

    def _message(self, server: Server, loss: Loss) -> str:
        doing = _DOING[self._phases.get(server.name)]
        if loss.cause == "interrupted":
            return f"interrupted {doing}"
        if loss.cause == "run-time":
            return f"the time of the run was up {doing}"
        if loss.cause == "deadline":
            return f"not finished after {self._deadline_s:g} s, given up {doing}"
        error = loss.error
        return f"a defect of volact, please report it: {type(error).__name__}: {error}"


def _itself(value: R) -> R:
    return value


def _server_of(outcome: Outcome) -> Server:
    return outcome.server


def _report_of(outcome: Outcome) -> ServerReport:
    return outcome.report


def _row_alone(server: Server, row: ServerReport) -> ServerReport:
    return row


def _outcome(server: Server, row: ServerReport) -> Outcome:
    return Outcome(server=server, report=row)


def _row_after(outcome: Outcome, row: ServerReport) -> ServerReport:
    """The row of a loss with what an earlier look had seen."""
    if row.error is None:
        return row
    lost = row.error
    return lost_row(
        outcome.server, lost.kind, lost.message, command=lost.command, before=outcome.report
    )
