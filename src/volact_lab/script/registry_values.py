"""RegRead, RegWrite and RegDelete of WScript.Shell: paths and types as it takes them.

A path that ends in a backslash means a key (its default value); HKU and HKCC
have no short name here.
"""

from __future__ import annotations

from volact_lab import codes
from volact_lab.errors import LabError, WinFault, win32
from volact_lab.windows.registry import Registry, Value, dword, sz

_NO_SHORT_NAME = ("hku\\", "hkcc\\")


def _split(path: str) -> tuple[str, str]:
    if path.lower().startswith(_NO_SHORT_NAME) or "\\" not in path:
        raise win32(codes.FILE_NOT_FOUND, f'Invalid root in registry key "{path}".')
    key, _, name = path.rpartition("\\")
    return key, name


def read(registry: Registry, path: str) -> Value:
    """The value at a path."""
    key, name = _split(path)
    return registry.get(key, name)


def write(registry: Registry, path: str, value: str | float, kind: str) -> None:
    """Write a value of one of the types that RegWrite knows."""
    key, name = _split(path)
    match kind.upper():
        case "REG_SZ":
            registry.set(key, name, sz(str(value)))
        case "REG_EXPAND_SZ":
            registry.set(key, name, Value("REG_EXPAND_SZ", str(value)))
        case "REG_DWORD":
            registry.set(key, name, dword(_number(value)))
        case "REG_BINARY":
            raise LabError(f"RegWrite of REG_BINARY is not modelled: {path}")
        case _:
            raise WinFault(codes.E_INVALIDARG, f'Unable to write "{path}" as {kind}.')


def _number(value: str | float) -> int:
    try:
        number = int(value)
    except ValueError as error:
        raise WinFault(0x80020005, "Type mismatch.") from error
    if not -(1 << 31) <= number < 1 << 31:
        raise WinFault(0x8002000A, "Out of present range.")
    return number


def delete(registry: Registry, path: str) -> None:
    """Remove a value, or a key without subkeys when the path ends in a backslash."""
    key, name = _split(path)
    if name:
        registry.delete_value(key, name)
    else:
        registry.delete_key(key)
