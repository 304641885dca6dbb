"""What stands between percent signs: variables, parameters and their modifiers.

Also ``!delayed!`` expansion and the variables of ``for``.  No parsing of
commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from volact_lab.errors import LabError
from volact_lab.windows.files import Files, normal

Lookup = Callable[[str], str | None]

_MODIFIED = re.compile(r"%~([fdpnxszat]*)([0-9])", re.IGNORECASE)
_SUBSTRING = re.compile(r"~(-?\d+)(?:,(-?\d+))?")


@dataclass(frozen=True, slots=True)
class Scope:
    """What percent signs are expanded with.

    ``args`` is None outside batch files; ``script`` is the full path of the
    batch file, which ``%~f0`` means even where ``%0`` is a called label.
    """

    lookup: Lookup
    files: Files
    cwd: str
    args: Sequence[str] | None = None
    script: str = ""


def percent(text: str, scope: Scope) -> str:
    """Expand a line before it is parsed."""
    out: list[str] = []
    at = 0
    while at < len(text):
        if text[at] != "%":
            end = text.find("%", at)
            end = len(text) if end < 0 else end
            out.append(text[at:end])
            at = end
            continue
        value, at = _one(text, at, scope)
        out.append(value)
    return "".join(out)


def _one(text: str, at: int, scope: Scope) -> tuple[str, int]:
    """Expand what starts at a percent sign; its value and where to go on."""
    if scope.args is not None:
        following = text[at + 1 : at + 2]
        if following == "%":
            return "%", at + 2
        if following == "*":
            return " ".join(scope.args[1:]), at + 2
        if following.isdigit():
            return _argument(scope.args, int(following)), at + 2
        modified = _MODIFIED.match(text, at)
        if modified:
            index, parts = int(modified[2]), modified[1].lower()
            value = scope.script if parts and index == 0 else _argument(scope.args, index)
            return modify(value, parts, scope), modified.end()
    end = text.find("%", at + 1)
    if end < 0:
        return ("" if scope.args is not None else "%"), at + 1
    return _variable(text[at + 1 : end], text[at : end + 1], scope, at, end)


def _variable(name: str, whole: str, scope: Scope, at: int, end: int) -> tuple[str, int]:
    plain, colon, rule = name.partition(":")
    value = scope.lookup(plain) if plain else None
    if value is None:
        if scope.args is not None:
            return "", end + 1
        return whole[:-1], end  # on the command line it stays as it is
    return (_altered(value, rule) if colon else value), end + 1


def _altered(value: str, rule: str) -> str:
    match = _SUBSTRING.fullmatch(rule)
    if match:
        start = int(match[1])
        start = max(len(value) + start, 0) if start < 0 else start
        length = int(match[2]) if match[2] else len(value)
        return value[start : start + length] if length >= 0 else value[start:length]
    old, equals, new = rule.partition("=")
    if not equals or not old or old.startswith("*"):
        raise LabError(f"this form of variable is not modelled: %…:{rule}%")
    return re.sub(re.escape(old), lambda _m: new, value, flags=re.IGNORECASE)


def _argument(args: Sequence[str], index: int) -> str:
    return args[index] if index < len(args) else ""


def modify(value: str, modifiers: str, scope: Scope) -> str:
    """``%~dp0`` and its kin: strip quotes, then the asked parts of the full path."""
    plain = value.strip('"')
    if not modifiers:
        return plain
    if set(modifiers) & set("sat"):
        raise LabError(f"the modifier %~{modifiers} is not modelled")
    path = normal(plain, scope.cwd)
    node = scope.files.find(path)
    if node is not None:
        path = node.path
    if modifiers == "z":
        return str(len(node.data or b"")) if node else ""
    folder, _, name = path.rpartition("\\")
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    parts = {
        "d": path[:2],
        "p": folder[2:] + "\\",
        "n": stem,
        "x": dot + extension,
    }
    if "f" in modifiers:
        return path
    return "".join(parts[letter] for letter in "dpnx" if letter in modifiers)


def for_variables(text: str, values: Mapping[str, str], scope: Scope) -> str:
    """Put the variables of ``for`` in place of ``%x`` and ``%~nx``."""
    if not values or "%" not in text:
        return text
    pattern = re.compile(r"%(?:~([fdpnxszat]*?))?([" + re.escape("".join(values)) + "])")

    def value(match: re.Match[str]) -> str:
        found = values[match[2]]
        return found if match[1] is None else modify(found, match[1].lower(), scope)

    return pattern.sub(value, text)


def delayed(text: str, lookup: Lookup) -> str:
    """Expand ``!name!``, also with a part or a replacement behind a colon."""

    def value(match: re.Match[str]) -> str:
        found = lookup(match[1]) or ""
        return _altered(found, match[2]) if match[2] and found else found

    return re.sub(r"!([^!\s:]+)(?::([^!]*))?!", value, text)
