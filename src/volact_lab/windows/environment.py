"""Environment variables: names that do not care about case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class Environment:
    """The variables of a process."""

    def __init__(self, start: Mapping[str, str] | None = None) -> None:
        self._vars: dict[str, tuple[str, str]] = {}
        for name, value in (start or {}).items():
            self.set(name, value)

    def get(self, name: str) -> str | None:
        """A variable's value, or None."""
        found = self._vars.get(name.upper())
        return found[1] if found else None

    def set(self, name: str, value: str) -> None:
        """Set a variable; an empty value removes it."""
        if value:
            self._vars[name.upper()] = (name, value)
        else:
            self._vars.pop(name.upper(), None)

    def copy(self) -> Environment:
        """The same variables for a child."""
        other = Environment()
        other._vars = dict(self._vars)
        return other

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(sorted(self._vars.values(), key=lambda pair: pair[0].upper()))
