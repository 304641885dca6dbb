"""An exception becomes one line for a person and an exit code.

Unexpected ones are written to a file that the line names, so that a terminal
never shows a traceback and nothing is lost.  What such an exception says in
words may repeat what a file or a server said, so only harmless kinds keep
their words there.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
import tempfile
import traceback
from typing import TextIO

from volact import __version__
from volact.errors import DataError, InputError, VolactError
from volact.model.text import say
from volact.model.told import told
from volact.report.safe import plain
from volact.words import tr

FAILED = 1
WRONG_INPUT = 2
INTERRUPTED = 130
STDOUT = "standard output"

# What the machine itself may lack, and what to do about it.
_MACHINE = {
    errno.ENOSPC: say("make room, then try again"),
    errno.EROFS: say("choose another place"),
    errno.EMFILE: say("raise the limit of open files, or lower --concurrency"),
    errno.ENFILE: say("too many files are open on this machine"),
}

# Their words are about code, not about data.
_HARMLESS = (
    AttributeError,
    AssertionError,
    ImportError,
    IndexError,
    NameError,
    RecursionError,
    TypeError,
)


def settle(error: BaseException) -> int:
    """Say what has to be said about an error; the exit code for it."""
    cause = _only_leaf(error)
    if isinstance(cause, SystemExit):
        return _system_exit(cause)
    if isinstance(cause, KeyboardInterrupt):
        tell(say("interrupted"))
        return INTERRUPTED
    if isinstance(cause, BrokenPipeError):
        drop(sys.stdout)
        return FAILED
    if isinstance(cause, VolactError):
        tell(told(cause))
        wrong = isinstance(cause, InputError) and not isinstance(cause, DataError)
        return WRONG_INPUT if wrong else FAILED
    if isinstance(cause, OSError) and cause.errno in _MACHINE:
        what = f"{cause.filename}: {cause.strerror}" if cause.filename else str(cause.strerror)
        tell(say("{message} ({hint})", message=what, hint=_MACHINE[cause.errno]))
        return FAILED
    return _unexpected(cause)


def tell(line: str) -> None:
    """One line on stderr in the person's language, without anything a terminal would obey."""
    try:
        sys.stderr.write(f"volact: {plain(tr(line))}\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # stderr is closed: there is nobody to tell
        drop(sys.stderr)


def report_lost(name: str, error: Exception) -> None:
    """Say that a report could not be written; the run went on without it.

    Whoever stopped reading standard output knows it, and is told nothing.
    """
    if name == STDOUT:
        drop(sys.stdout)
        if isinstance(error, BrokenPipeError):
            return
    if isinstance(error, OSError):
        why = error.strerror or type(error).__name__
        tell(say("{name}: {why}; the run went on without this report", name=name, why=why))
        return
    tell(say("{name}: not written; the run went on without this report", name=name))
    _unexpected(error)


def _system_exit(error: SystemExit) -> int:
    if isinstance(error.code, int):
        return error.code
    if error.code is None:
        return 0
    tell(str(error.code))
    return FAILED


def _only_leaf(error: BaseException) -> BaseException:
    """The error inside groups of one, as task groups make them."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def drop(stream: TextIO) -> None:
    """Nobody reads on: keep the interpreter from complaining when it flushes."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, stream.fileno())
    except (OSError, ValueError):  # no real file behind it
        return
    finally:
        os.close(devnull)


def _unexpected(error: BaseException) -> int:
    what = type(error).__name__
    try:
        path = _write_details(error)
    except OSError:
        tell(say("unexpected {what}; its details could not be written anywhere", what=what))
        return FAILED
    tell(say("unexpected {what}, a defect of volact; details are in {path}", what=what, path=path))
    return FAILED


def _write_details(error: BaseException) -> str:
    handle, path = tempfile.mkstemp(prefix="volact-error-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"volact {__version__}, Python {platform.python_version()}, ")
        file.write(f"{platform.system()}\n\n{details(error)}")
    return path


def details(error: BaseException) -> str:
    """Where it happened, and only harmless words of what."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        words = f": {current}" if isinstance(current, _HARMLESS) else ""
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}{words}\n")
        frames = traceback.extract_tb(current.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}\n" for frame in frames]
        if isinstance(current, BaseExceptionGroup):
            lines += [details(inner) for inner in current.exceptions]
        current = current.__cause__ or current.__context__
    return "".join(lines)
