"""The registry: typed values under paths that do not care about case.

A server's registry is a shared image of its release with the server's own
changes laid over it, so that ten thousand servers cost what they change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from volact_lab import codes
from volact_lab.errors import WinFault, win32
from volact_lab.windows.acl import Acl

Kind = Literal["REG_SZ", "REG_EXPAND_SZ", "REG_DWORD", "REG_BINARY", "REG_MULTI_SZ"]

ROOTS = {
    "hklm": "HKEY_LOCAL_MACHINE",
    "hkcu": "HKEY_CURRENT_USER",
    "hkcr": "HKEY_CLASSES_ROOT",
    "hku": "HKEY_USERS",
    "hkcc": "HKEY_CURRENT_CONFIG",
}
_LONG = {name.lower(): name for name in ROOTS.values()}


@dataclass(frozen=True, slots=True)
class Value:
    """One registry value: its type and its data in that type's Python form."""

    kind: Kind
    data: str | int | bytes | tuple[str, ...]


@dataclass(slots=True)
class Key:
    """One key: its path as first written, its values by lower-case name."""

    path: str
    values: dict[str, tuple[str, Value]] = field(default_factory=dict)

    def copy(self) -> Key:
        """A key of its own with the same values."""
        return Key(self.path, dict(self.values))


Image = dict[str, Key]


def sz(text: str) -> Value:
    """A REG_SZ value."""
    return Value("REG_SZ", text)


def dword(number: int) -> Value:
    """A REG_DWORD value."""
    return Value("REG_DWORD", number & 0xFFFFFFFF)


@lru_cache(maxsize=4096)
def normal(path: str) -> str:
    """A path with its root spelled out and no superfluous backslashes."""
    root, _, rest = path.strip("\\").partition("\\")
    full = ROOTS.get(root.lower()) or _LONG.get(root.lower())
    if full is None:
        raise win32(codes.FILE_NOT_FOUND, f'Invalid root in registry key "{path}".')
    rest = "\\".join(part for part in rest.split("\\") if part)
    return f"{full}\\{rest}" if rest else full


def _parents(path: str) -> Iterator[str]:
    parts = path.split("\\")
    for end in range(1, len(parts)):
        yield "\\".join(parts[:end])


def put(image: Image, path: str, name: str, value: Value) -> None:
    """Write into an image, creating the key and the keys above it."""
    path = normal(path)
    for above in (*_parents(path), path):
        image.setdefault(above.lower(), Key(above))
    image[path.lower()].values[name.lower()] = (name, value)


class Registry:
    """A server's registry.  ``denied`` lists the keys that the session may not touch."""

    def __init__(self, base: Mapping[str, Key]) -> None:
        self._base = base
        self._own: dict[str, Key | None] = {}
        self.dacls: dict[str, Acl] = {}  # by lower-case path: those that were changed
        self.denied: Callable[[str, bool], bool] = lambda _path, _write: False

    def _find(self, path: str) -> Key | None:
        lower = path.lower()
        return self._own[lower] if lower in self._own else self._base.get(lower)

    def _check(self, path: str, *, write: bool) -> str:
        path = normal(path)
        if self.denied(path.lower(), write):
            raise win32(codes.ACCESS_DENIED, f'Access to registry key "{path}" is denied.')
        return path

    def has_key(self, path: str) -> bool:
        """Whether a key exists."""
        return self._find(self._check(path, write=False)) is not None

    def get(self, path: str, name: str) -> Value:
        """One value; ``""`` is the key's default value.  WinFault when there is none."""
        key = self._find(self._check(path, write=False))
        found = key.values.get(name.lower()) if key else None
        if found is None:
            raise win32(codes.FILE_NOT_FOUND, f'Unable to open registry key "{path}\\{name}".')
        return found[1]

    def find(self, path: str, name: str) -> Value | None:
        """One value or None: for the simulated Windows itself, which nothing is denied."""
        key = self._find(normal(path))
        found = key.values.get(name.lower()) if key else None
        return found[1] if found else None

    def text(self, path: str, name: str) -> str | None:
        """A string value or None, for the simulated Windows itself."""
        value = self.find(path, name)
        return value.data if value and isinstance(value.data, str) else None

    def number(self, path: str, name: str) -> int | None:
        """A number or None, for the simulated Windows itself."""
        value = self.find(path, name)
        return value.data if value and isinstance(value.data, int) else None

    def create(self, path: str) -> None:
        """Make a key and the keys above it."""
        path = self._check(path, write=True)
        for above in (*_parents(path), path):
            if self._find(above) is None:
                self._own[above.lower()] = Key(above)

    def set(self, path: str, name: str, value: Value) -> None:
        """Write one value, making its key if need be."""
        self.create(path)
        self._mine(normal(path)).values[name.lower()] = (name, value)

    def _mine(self, path: str) -> Key:
        key = self._own.get(path.lower())
        if key is None:
            key = self._base[path.lower()].copy()
            self._own[path.lower()] = key
        return key

    def delete_value(self, path: str, name: str) -> None:
        """Remove one value; WinFault when it is not there."""
        path = self._check(path, write=True)
        self.get(path, name)
        del self._mine(path).values[name.lower()]

    def delete_key(self, path: str, *, tree: bool = False) -> None:
        """Remove a key; one with subkeys only if ``tree``."""
        path = self._check(path, write=True)
        if self._find(path) is None:
            raise win32(codes.FILE_NOT_FOUND, f'Unable to remove registry key "{path}".')
        below = [key for key in self._paths() if key.startswith(path.lower() + "\\")]
        if below and not tree:
            raise win32(codes.ACCESS_DENIED, f'Unable to remove registry key "{path}".')
        for lower in (*below, path.lower()):
            self._own[lower] = None

    def values(self, path: str) -> list[tuple[str, Value]]:
        """All values of a key in the order they were written."""
        key = self._find(self._check(path, write=False))
        if key is None:
            raise win32(codes.FILE_NOT_FOUND)
        return list(key.values.values())

    def subkeys(self, path: str) -> list[str]:
        """The paths of the keys directly below a key."""
        path = self._check(path, write=False)
        start = path.lower() + "\\"
        found = [lower for lower in self._paths() if lower.startswith(start)]
        keys = [self._find(lower) for lower in found if "\\" not in lower[len(start) :]]
        return [key.path for key in keys if key]

    def _paths(self) -> list[str]:
        own = [lower for lower, key in self._own.items() if key is not None]
        return [*own, *(lower for lower in self._base if lower not in self._own)]


__all__ = ["Image", "Key", "Kind", "Registry", "Value", "WinFault", "dword", "normal", "put", "sz"]
