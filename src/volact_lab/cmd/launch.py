"""Finding and starting programs: what is not an internal command of cmd.exe."""

from __future__ import annotations

from collections.abc import Callable

from volact_lab.cmd.process import Process, split_arguments
from volact_lab.errors import LabError, WinFault
from volact_lab.windows import acl
from volact_lab.windows.files import Node, normal

_EXTENSIONS = (".com", ".exe", ".bat", ".cmd")

# The programs of System32 by file name; ``volact_lab.programs`` brings them.
PROGRAMS: dict[str, Callable[[Process], int]] = {}


def first_word(text: str) -> tuple[str, str]:
    """The name of a program as typed, and everything behind it."""
    text = text.lstrip(" \t,;=")
    quoted = False
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif not quoted and char in " \t,;=/":
            return text[:at], text[at:]
    return text, ""


def find(process: Process, name: str) -> Node | None:
    """The program a name means: here, then along PATH, with the usual extensions."""
    plain = name.strip('"')
    if not plain:
        return None
    if "\\" in plain or ":" in plain:
        folders = [""]
    else:
        path = process.env.get("PATH") or ""
        folders = [process.cwd, *(folder for folder in path.split(";") if folder)]
    for folder in folders:
        found = _in_folder(process, f"{folder}\\{plain}" if folder else plain)
        if found:
            return found
    return None


def _in_folder(process: Process, path: str) -> Node | None:
    files = process.machine.files
    try:
        full = normal(path, process.cwd)
    except WinFault:
        return None
    names = [full] if full.lower().endswith(_EXTENSIONS) else []
    for candidate in (*names, *(full + extension for extension in _EXTENSIONS)):
        node = files.find(candidate)
        if node and not node.folder:
            return node
    return None


def start(process: Process, node: Node, arguments: str) -> int:
    """Run an executable file to its end and return its exit code."""
    name = node.name.lower()
    if not node.dacl.allows(process.machine.token, acl.EXECUTE):
        process.complain(process.machine.language.win32_text(5))
        return 1
    program = PROGRAMS.get(name)
    if program is None:
        raise LabError(f"the program {node.path} is not modelled")
    process.machine.check_time()
    return program(process.child(node.path, arguments))


def split_arguments_raw(text: str) -> list[str]:
    """The arguments of a batch file: quotes stay."""
    words, word, quoted = [], "", False
    for char in text:
        if char == '"':
            quoted = not quoted
        if char in " \t,;=" and not quoted:
            if word:
                words.append(word)
            word = ""
        else:
            word += char
    return [*words, word] if word else words


def run_command_line(process: Process, line: str) -> int | None:
    """Run a command line as CreateProcess does; None when there is no such program."""
    words = split_arguments(line)
    node = find(process, words[0]) if words else None
    if node is None or not node.path.lower().endswith((".exe", ".com")):
        return None
    _, rest = first_word(line) if not line.startswith('"') else _behind_quotes(line)
    return start(process, node, rest.lstrip(" \t"))


def _behind_quotes(line: str) -> tuple[str, str]:
    end = line.find('"', 1)
    return line[1:end], line[end + 1 :]
