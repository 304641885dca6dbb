"""One run over a fleet: phases, events, the stop rules, and rows for servers without a result.

``worker_pool`` runs the work, ``failure_policy`` decides when a rollout stops, ``canary``
chooses the first servers, ``activation_slots`` bounds the activations at each KMS host.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Literal, TypeVar

import msgspec

from volact.errors import ErrorKind
from volact.fleet.activation_slots import ActivationSlots
from volact.fleet.canary import CanaryGroup, choose_canaries
from volact.fleet.control import Control
from volact.fleet.events import Ended, Entered, Finished, Started, Stopped
from volact.fleet.failure_policy import FailureLimits, FailurePolicy
from volact.fleet.load_sampler import LoadSampler
from volact.fleet.rate_limiter import RateLimiter
from volact.fleet.worker_pool import NoResult, PoolLimits, WorkerPool
from volact.model.report import ServerReport
from volact.model.server import Server
from volact.model.text import Text, say
from volact.pipeline import Job, Notify, Phase, row_without_result

I_ = TypeVar("I_")
R = TypeVar("R")

# Beyond a server's deadline: for the cleanup of files there and the disconnect.
# The pipeline keeps the deadline itself; this bound holds if it does not.
_GRACE_S = 8.0

_DOING: dict[Phase | None, Text] = {
    None: say("before it started"),
    "connect": say("while connecting"),
    "probe": say("during the check"),
    "apply": say("while steps were applied: run check to see the result"),
    "verify": say("after steps were sent: run check to see the result"),
}


class ItemAdapter(msgspec.Struct, Generic[I_, R], frozen=True):
    """How a run reads its items and results: items are servers or outcomes of an earlier plan."""

    server: Callable[[I_], Server]
    report: Callable[[R], ServerReport]
    without_result: Callable[[I_, ServerReport], R]  # the result made of a row
    group: Callable[[I_], CanaryGroup]  # for the choice of canaries


class FleetRun(Generic[I_, R]):
    """One run over items.

    Args:
        adapter: how items and results are read.
        work: what is done with one item; gets the job and a callback for its phases.
        job: the operator's decision, the same for every server.
        control: concurrency, rate, limits, and the events that stop the run.
        late_s: how late other processes of the run are.
    """

    def __init__(
        self,
        adapter: ItemAdapter[I_, R],
        work: Callable[[I_, Job, Notify], Awaitable[R]],
        job: Job,
        control: Control,
        late_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._adapter = adapter
        self._work = work
        self._control = control
        self._tell = control.on_event
        self._phases: dict[str, Phase] = {}
        self._begun: dict[str, float] = {}
        self._sent: set[str] = set()
        self._policy = FailurePolicy(FailureLimits())
        self._pool: WorkerPool[I_, R] | None = None
        self._load = LoadSampler(control.concurrency, late_s) if control.adaptive else None
        self._slots = ActivationSlots(control.kms_concurrency, self._pause_deadline, control.slot)
        retry = msgspec.structs.replace(job.retry, may_continue=self._may_continue)
        self._job = msgspec.structs.replace(job, activation_slot=self._slots.at, retry=retry)

    async def run(self, items: Iterable[I_]) -> AsyncGenerator[R, None]:
        """Yield one result for each item, in the order in which they finish."""
        control = self._control
        limiter = RateLimiter(control.pace, control.rng) if control.pace is not None else None
        ends = None if control.run_s is None else _clock() + control.run_s
        with self._watching_signals():
            for some in self._stages(items):
                limits = PoolLimits(
                    concurrency=control.concurrency,
                    start=self._load.limit if self._load is not None else None,
                    item_s=self._job.deadline_s + _GRACE_S,
                    run_s=None if ends is None else max(0.0, ends - _clock()),
                    rate_limiter=limiter,
                )
                results = self._results(some, limits)
                try:
                    async for result in results:
                        yield result
                finally:
                    await results.aclose()
        self._tell(Ended(self._policy.stop))

    async def _results(self, items: Iterable[I_], limits: PoolLimits) -> AsyncGenerator[R, None]:
        """The results of one stage."""
        pool = WorkerPool(items, self._work_on, self._without_result, limits)
        self._pool = pool
        if self._policy.stop is not None:
            pool.close("stopped")
        self._on_stop_signal()
        results = pool.results()
        sampling = asyncio.ensure_future(self._adapt(pool))
        try:
            async for result in results:
                report = self._adapter.report(result)
                if self._load is not None:
                    self._load.count(report)
                self._phases.pop(report.name, None)
                self._begun.pop(report.name, None)
                self._tell(Finished(report))
                yield result
        finally:
            sampling.cancel()
            await results.aclose()

    async def _adapt(self, pool: WorkerPool[I_, R]) -> None:
        """Let the number of servers at a time follow the load, until cancelled."""
        if self._load is not None:
            async for limit in self._load.limits(lambda: pool.busy):
                await pool.set_concurrency(limit)

    def _stages(self, items: Iterable[I_]) -> Iterator[Iterable[I_]]:
        """The canaries, then the others; all at once where no stop rule is set."""
        control = self._control
        if control.canary is None and control.max_failures is None:
            yield items
            return
        every: Sequence[I_] = items if isinstance(items, Sequence) else list(items)
        total = len(every)
        canary = control.canary
        number = 0 if canary is None else canary.share.at_least_one(total)
        # If all servers are canaries, none is left to be protected.
        number = 0 if number >= total else number
        first, others = choose_canaries(
            every, number, self._adapter.group, lambda item: self._adapter.server(item).name
        )
        most = control.max_failures
        self._policy = FailurePolicy(
            FailureLimits(
                canaries=len(first),
                canary_failures=canary.may_fail if canary is not None else 0,
                failures=None if most is None else most.at_most(total),
            )
        )
        if first:
            yield first
        yield others

    @contextmanager
    def _watching_signals(self) -> Iterator[None]:
        """Obey ``drain`` and ``stop`` inside the block."""
        events = (self._control.drain, self._control.stop)
        tasks = [asyncio.ensure_future(self._wait_for(event)) for event in events if event]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    async def _wait_for(self, event: asyncio.Event) -> None:
        await event.wait()
        self._on_stop_signal()

    def _on_stop_signal(self) -> None:
        """Close or cancel the pool if ``drain`` or ``stop`` is set."""
        stop, drain, pool = self._control.stop, self._control.drain, self._pool
        hard = stop is not None and stop.is_set()
        if pool is None or not (hard or (drain is not None and drain.is_set())):
            return
        self._stop_for("interrupted")
        if hard:
            pool.cancel("interrupted")
        else:
            pool.close("interrupted")

    def _may_continue(self) -> bool:
        return self._policy.stop is None

    def _stop_for(self, why: Literal["interrupted", "run-time"]) -> None:
        before = self._policy.stop
        self._policy.stop_for(why)
        if before is None:
            self._announce_stop()

    def _announce_stop(self) -> None:
        """Report once that no more servers begin, and end the wait for activation slots."""
        stop = self._policy.stop
        if stop is not None:
            self._slots.close(say("not changed: {why}", why=stop.sentence))
            self._tell(Stopped(stop))

    @contextmanager
    def _pause_deadline(self) -> Iterator[None]:
        assert self._pool is not None, "work is done inside a pool"
        with self._pool.pause_deadline():
            yield

    async def _work_on(self, item: I_) -> R:
        name = self._adapter.server(item).name
        self._begun[name] = _clock()
        self._tell(Started(name))
        result = await self._work(item, self._job, self._on_phase)
        self._record(self._adapter.report(result))
        return result

    def _record(self, row: ServerReport) -> None:
        """Count an outcome; close the pool when the policy says so."""
        going_on = self._policy.stop is None
        self._policy.record(row, sent=row.name in self._sent)
        self._sent.discard(row.name)
        if going_on and self._policy.stop is not None and self._pool is not None:
            self._pool.close("stopped")
            self._announce_stop()

    def _on_phase(self, name: str, phase: Phase) -> None:
        self._phases[name] = phase
        if phase == "apply":
            self._sent.add(name)
        elif phase == "probe":  # none of the steps ran
            self._sent.discard(name)
        self._tell(Entered(name, phase))

    def _without_result(self, item: I_, reason: NoResult) -> R:
        """The result of an item whose work gave none."""
        if reason.cause == "run-time":
            self._stop_for("run-time")
        row = self._row(self._adapter.server(item), reason)
        if reason.begun:
            self._record(row)
        return self._adapter.without_result(item, row)

    def _row(self, server: Server, reason: NoResult) -> ServerReport:
        begun = self._begun.get(server.name)
        return row_without_result(
            server,
            self._error_kind(server, reason),
            self._message(server, reason),
            elapsed_s=0.0 if begun is None else _clock() - begun,
        )

    def _error_kind(self, server: Server, reason: NoResult) -> ErrorKind:
        """A probe cancelled at the end of the run shows nothing about its server."""
        run_ended = reason.cause in {"interrupted", "run-time"}
        if not reason.begun or (run_ended and server.name not in self._sent):
            return "not-begun"
        return "protocol" if reason.cause == "defect" else "timeout"

    def _message(self, server: Server, reason: NoResult) -> Text:
        doing = _DOING[self._phases.get(server.name)]
        if reason.cause == "stopped" and self._policy.stop is not None:
            return self._policy.stop.sentence
        if reason.cause == "interrupted":
            return say("interrupted {doing}", doing=doing)
        if reason.cause == "run-time":
            return say("the run's time limit was reached {doing}", doing=doing)
        if reason.cause == "deadline":
            return say(
                "not finished after {seconds} s, stopped {doing}",
                seconds=f"{self._job.deadline_s:g}",
                doing=doing,
            )
        error = reason.error
        return say(
            "a bug in volact, please report it: {error}",
            error=f"{type(error).__name__}: {error}",
        )


def _clock() -> float:
    """The event loop's clock, which also ends its deadlines."""
    return asyncio.get_running_loop().time()
