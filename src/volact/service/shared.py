"""One answer for all who ask the same at the same time.

Nothing is kept: a caller gets an answer that was begun after the caller asked, so it is as new
as one of its own, and many callers cost the database little more than one.  Or many ask for one
each of the same kind, which are then looked up together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping, Set
from typing import Any, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class _Turn:
    """One asking of a question: callers join it until it begins."""

    def __init__(self, before: asyncio.Task[Any] | None, work: Callable[[Set[Any]], Any]) -> None:
        self.begun = False
        self.keys: set[Any] = set()
        self.task: asyncio.Task[Any] = asyncio.create_task(self._run(before, work))

    async def _run(self, before: asyncio.Task[Any] | None, work: Callable[[Set[Any]], Any]) -> Any:
        if before is not None:
            await asyncio.wait((before,))
        self.begun = True
        return await asyncio.to_thread(work, self.keys)


class SharedAnswers:
    """The questions under way in a process."""

    def __init__(self) -> None:
        self._turns: dict[Hashable, _Turn] = {}

    async def ask(self, question: Hashable, work: Callable[[], T]) -> T:
        """The answer of ``work``, which runs in a thread.

        ``question`` names all that the answer depends on.  A caller who goes away ends nothing
        that others wait for.
        """
        answer: T = await asyncio.shield(self._turn(question, lambda _: work()).task)
        return answer

    async def look_up(
        self, kind: Hashable, key: K, work: Callable[[Set[K]], Mapping[K, T]]
    ) -> T | None:
        """What ``work`` finds of a key; it is given the keys of all who ask for this kind."""
        turn = self._turn(kind, work)
        turn.keys.add(key)
        found: Mapping[K, T] = await asyncio.shield(turn.task)
        return found.get(key)

    def _turn(self, question: Hashable, work: Callable[[Set[Any]], Any]) -> _Turn:
        turn = self._turns.get(question)
        if turn is None or turn.begun:
            turn = self._turns[question] = _Turn(turn.task if turn else None, work)
            turn.task.add_done_callback(lambda _: self._forget(question))
        return turn

    def _forget(self, question: Hashable) -> None:
        """Forget the newest turn of a question, unless another came after what ended."""
        turn = self._turns.get(question)
        if turn is not None and turn.task.done():
            del self._turns[question]
