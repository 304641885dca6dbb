"""The parameters of one request, read as strictly as the API reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from volact_lab.instances.faults import ApiFault

T = TypeVar("T")

MAX_PAGE = 100
_MAX_FILTERS, _MAX_VALUES = 10, 5


@dataclass
class Parameters:
    """What is in a request's body; what is not read is an error."""

    values: Mapping[str, Any]
    _read: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, body: bytes) -> Parameters:
        """The parameters in a JSON body."""
        try:
            values = json.loads(body)
        except ValueError as error:
            raise ApiFault("InvalidRequest", "The body is not JSON.") from error
        if not isinstance(values, dict):
            raise ApiFault("InvalidRequest", "The body is not a JSON object.")
        return cls(values)

    def get(self, name: str, kind: type[T], default: T) -> T:
        """A parameter of one type."""
        self._read.add(name)
        value: object = self.values.get(name, default)
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        raise ApiFault("InvalidParameter", f"The parameter `{name}` is of a wrong type.")

    def need(self, name: str, kind: type[T]) -> T:
        """A parameter that must be there."""
        if name not in self.values:
            raise ApiFault("MissingParameter", f"The parameter `{name}` is missing.")
        value: T = self.values[name]
        return self.get(name, kind, value)

    def words(self, name: str, most: int, code: str) -> list[str]:
        """A list of texts, not longer than the API allows."""
        words = self.get(name, list, [])
        if not all(isinstance(word, str) for word in words):
            raise ApiFault("InvalidParameter", f"The parameter `{name}` is not a list of texts.")
        if len(words) > most:
            raise ApiFault(code, f"`{name}` holds {len(words)} values, at most {most} are allowed.")
        return list(words)

    def filters(self, known: Iterable[str]) -> dict[str, list[str]]:
        """``Filters``: names that are known, few of them, with few values each."""
        names = set(known)
        filters = self.get("Filters", list, [])
        if len(filters) > _MAX_FILTERS:
            raise ApiFault("InvalidParameterValue.LimitExceeded", "There are too many filters.")
        found = {}
        for item in filters:
            name, values = item.get("Name"), item.get("Values") or []
            if name not in names and not ("tag:" in names and str(name).startswith("tag:")):
                raise ApiFault("InvalidFilter", f"The filter `{name}` is not known.")
            if len(values) > _MAX_VALUES:
                raise ApiFault("LimitExceeded.FilterValueExceeded", f"Too many values of `{name}`.")
            found[name] = [str(value) for value in values]
        return found

    def page(self, rows: Sequence[T]) -> list[T]:
        """The rows that ``Offset`` and ``Limit`` name."""
        offset, limit = self.get("Offset", int, 0), self.get("Limit", int, 20)
        if not (offset >= 0 and 1 <= limit <= MAX_PAGE):
            raise ApiFault("InvalidParameterValue.Range", "`Offset` or `Limit` is out of range.")
        return list(rows[offset : offset + limit])

    def done(self) -> None:
        """``ApiFault`` for a parameter that the action does not have."""
        for name in self.values:
            if name not in self._read:
                raise ApiFault("UnknownParameter", f"The parameter `{name}` is not recognized.")
