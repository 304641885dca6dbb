"""Remembering the last answer: only for the very same objects, never for equal ones."""

from __future__ import annotations

from volact.core.once import once


def test_the_same_objects_are_asked_once() -> None:
    asked: list[tuple[int, ...]] = []

    @once
    def largest(numbers: tuple[int, ...], least: int = 0) -> int:
        asked.append(numbers)
        return max(*numbers, least)

    first, equal = (1, 2, 3), tuple(range(1, 4))
    assert [largest(first), largest(first)] == [3, 3]
    assert asked == [first]
    assert largest(equal) == 3
    assert len(asked) == 2
    assert largest(equal, 5) == 5
    assert largest(equal, least=7) == 7
    assert len(asked) == 4
    assert largest.__name__ == "largest"
