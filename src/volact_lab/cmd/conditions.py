"""What ``if`` asks."""

from __future__ import annotations

import fnmatch

from volact_lab.cmd.interpreter import Interpreter
from volact_lab.errors import WinFault
from volact_lab.windows.files import normal, parent

# Which orders of the two sides (-1, 0, 1) make a comparison true.
_COMPARE = {
    "equ": (0,),
    "neq": (-1, 1),
    "lss": (-1,),
    "leq": (-1, 0),
    "gtr": (1,),
    "geq": (0, 1),
}


def holds(shell: Interpreter, words: list[str]) -> bool:
    """Whether a condition is true."""
    negated = fold = False
    while words[0] in {"/i", "not"}:
        negated ^= words[0] == "not"
        fold |= words[0] == "/i"
        words = words[1:]
    return _plain(shell, words, fold=fold) != negated


def _plain(shell: Interpreter, words: list[str], *, fold: bool) -> bool:
    first = words[0].lower()
    if first == "exist" and len(words) == 2:
        return _exists(shell, words[1])
    if first == "defined" and len(words) == 2:
        return shell.lookup(words[1]) is not None
    if first == "errorlevel" and len(words) == 2:
        return shell.errorlevel >= int(words[1])
    if len(words) == 3:
        return _compare(words[0], words[1], words[2], fold=fold)
    left, _, right = words[0].partition("==")
    return left.lower() == right.lower() if fold else left == right


def _compare(left: str, name: str, right: str, *, fold: bool) -> bool:
    if _is_number(left) and _is_number(right):
        a, b = int(left, 0), int(right, 0)
        return (a > b) - (a < b) in _COMPARE[name]
    if fold:
        left, right = left.lower(), right.lower()
    return (left > right) - (left < right) in _COMPARE[name]


def _is_number(text: str) -> bool:
    try:
        int(text, 0)
    except ValueError:
        return False
    return True


def _exists(shell: Interpreter, word: str) -> bool:
    files = shell.process.machine.files
    text = word.strip('"')
    if text.lower() == "nul":
        return True
    folder, _, name = text.rpartition("\\")
    try:
        if "*" in name or "?" in name:
            inside = files.children(normal(folder or ".", shell.process.cwd))
            return any(fnmatch.fnmatch(n.name.lower(), name.lower()) for n in inside)
        path = normal(text, shell.process.cwd)
    except WinFault:
        return False
    if text.endswith("\\"):
        return files.is_folder(path)
    return files.find(path) is not None or path == parent(path)
