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

from volact import __version__
from volact.errors import DataError, InputError, VolactError

FAILED = 1
WRONG_INPUT = 2
INTERRUPTED = 130

# What the machine itself may lack, and what to do about it.
_MACHINE = {
    errno.ENOSPC: "make room, then try again",
    errno.EROFS: "choose another place",
    errno.EMFILE: "raise the limit of open files, or lower --concurrency",
    errno.ENFILE: "too many files are open on this machine",
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
        say("interrupted")
        return INTERRUPTED
    if isinstance(cause, BrokenPipeError):
        _drop_stdout()
        return FAILED
    if isinstance(cause, VolactError):
        say(cause.line())
        wrong = isinstance(cause, InputError) and not isinstance(cause, DataError)
        return WRONG_INPUT if wrong else FAILED
    if isinstance(cause, OSError) and cause.errno in _MACHINE:
        what = f"{cause.filename}: {cause.strerror}" if cause.filename else str(cause.strerror)
        say(f"{what} ({_MACHINE[cause.errno]})")
        return FAILED
    return _unexpected(cause)


def say(line: str) -> None:
    """One line on stderr, without anything a terminal would obey."""
    from volact.report.safe import plain

    try:
        sys.stderr.write(f"volact: {plain(line)}\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # stderr is closed: there is nobody to tell
        return


def _system_exit(error: SystemExit) -> int:
    if isinstance(error.code, int):
        return error.code
    if error.code is None:
        return 0
    say(str(error.code))
    return FAILED


def _only_leaf(error: BaseException) -> BaseException:
    """The error inside groups of one, as task groups make them."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _drop_stdout() -> None:
    """Nobody reads on: keep the interpreter from complaining when it flushes."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, sys.stdout.fileno())
    except (OSError, ValueError):  # no real file behind stdout
        return
    finally:
        os.close(devnull)


def _unexpected(error: BaseException) -> int:
    what = type(error).__name__
    try:
        path = _write_details(error)
    except OSError:
        say(f"unexpected {what}; its details could not be written anywhere")
        return FAILED
    say(f"unexpected {what}, a defect of volact; details are in {path}")
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
