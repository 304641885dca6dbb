"""One answer for all who ask the same at the same time.

Nothing is kept: a caller gets an answer that was begun after the caller asked, so it is as new
as one of its own, and many callers cost the database little more than one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class _Turn:
    """One asking of a question: callers join it until it begins."""

    def __init__(self, before: asyncio.Task[Any] | None, work: Callable[[], Any]) -> None:
        self.begun = False
        self.task: asyncio.Task[Any] = asyncio.create_task(self._run(before, work))

    async def _run(self, before: asyncio.Task[Any] | None, work: Callable[[], Any]) -> Any:
        if before is not None:
            await asyncio.wait((before,))
        self.begun = True
        return await asyncio.to_thread(work)


class SharedAnswers:
    """The questions under way in a process."""

    def __init__(self) -> None:
        self._turns: dict[Hashable, _Turn] = {}

    async def ask(self, question: Hashable, work: Callable[[], T]) -> T:
        """The answer of ``work``, which runs in a thread.

        ``question`` names all that the answer depends on.  A caller who goes away ends nothing
        that others wait for.
        """
        turn = self._turns.get(question)
        if turn is None or turn.begun:
            turn = self._turns[question] = _Turn(turn.task if turn else None, work)
            turn.task.add_done_callback(lambda _: self._forget(question))
        answer: T = await asyncio.shield(turn.task)
        return answer

    def _forget(self, question: Hashable) -> None:
        """Forget the newest turn of a question, unless another came after what ended."""
        turn = self._turns.get(question)
        if turn is not None and turn.task.done():
            del self._turns[question]
