"""Exceptions as one line on standard error and an exit code.

Details of an unexpected exception go to a file that the line names; a terminal never
shows a traceback.  Its message may repeat the content of a file or of a server's
answer, so only types that cannot are written with their message.
"""

from __future__ import annotations

import errno
import os
import platform
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from volact import __version__
from volact.errors import DataError, InputError, VolactError, one_line, unreadable
from volact.model.error_text import error_text
from volact.model.text import Text, raw, say
from volact.report.terminal_safe import plain
from volact.words import tr

FAILED = 1
WRONG_INPUT = 2
INTERRUPTED = 130
STDOUT = "standard output"

# Limits of this machine, and what to do about each.
_MACHINE = {
    errno.ENOSPC: say("free some disk space, then try again"),
    errno.EROFS: say("choose another location"),
    errno.EMFILE: say("raise the limit of open files, or lower --concurrency"),
    errno.ENFILE: say("too many files are open on this machine"),
}

_NOT_TEXT = re.compile("[\ud800-\udfff]")  # how Python holds bytes that are none

# What no file can be called, or may not be asked for.
_NAMES = frozenset({errno.ENAMETOOLONG, errno.EACCES})

# Their messages are about code, not about data.
_HARMLESS = (
    AttributeError,
    AssertionError,
    ImportError,
    IndexError,
    NameError,
    RecursionError,
    TypeError,
)


def report_error(error: BaseException) -> int:
    """Print an error as one line; its exit code."""
    cause = _only_leaf(error)
    if isinstance(cause, SystemExit):
        return _system_exit(cause)
    if isinstance(cause, KeyboardInterrupt):
        tell(say("interrupted"))
        return INTERRUPTED
    if isinstance(cause, BrokenPipeError):
        discard_stream(sys.stdout)
        return FAILED
    if isinstance(cause, OSError) and cause.errno in _NAMES and cause.filename:
        cause = unreadable(cause, one_line(str(cause.filename)))
    if isinstance(cause, VolactError):
        tell(error_text(cause))
        wrong = isinstance(cause, InputError) and not isinstance(cause, DataError)
        return WRONG_INPUT if wrong else FAILED
    if isinstance(cause, OSError) and cause.errno in _MACHINE:
        what = f"{cause.filename}: {cause.strerror}" if cause.filename else str(cause.strerror)
        tell(say("{message} ({hint})", message=what, hint=_MACHINE[cause.errno]))
        return FAILED
    return _unexpected(cause)


def require_text(args: Iterable[str], error: UnicodeEncodeError) -> None:
    """``InputError`` where what could not be encoded came with an argument.

    A terminal with another encoding types such names, and a file may have one.
    """
    for word in args:
        if _NOT_TEXT.search(word) and (word in error.object or error.object in word):
            raise InputError(say("is not UTF-8 text"), where=repr(word)) from error


def tell(line: str) -> None:
    """Print one line on standard error, translated and without control characters."""
    try:
        sys.stderr.write(f"volact: {plain(tr(line))}\n")
        sys.stderr.flush()
    except (OSError, ValueError):  # standard error is closed
        discard_stream(sys.stderr)


def report_failed_output(name: str, error: Exception) -> None:
    """Print that a report could not be written; the run went on without it.

    A closed pipe on standard output is not reported: its reader ended on purpose.
    """
    if name == STDOUT:
        discard_stream(sys.stdout)
        if isinstance(error, BrokenPipeError):
            return
    if isinstance(error, OSError):
        why = error.strerror or type(error).__name__
        tell(say("{name}: {why}; the run continued without this report", name=name, why=why))
        return
    tell(say("{name}: not written; the run continued without this report", name=name))
    _unexpected(error)


@contextmanager
def needs_extra(extra: str, told: Callable[[Text], Text]) -> Iterator[None]:
    """``InputError`` for a package of an extra that the block does not find."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "volact").startswith("volact"):
            raise
        hint = say("pip install {extra}", extra=f"'volact[{extra}]'")
        raise InputError(told(raw(error.name or "")), hint) from error


def _system_exit(error: SystemExit) -> int:
    if isinstance(error.code, int):
        return error.code
    if error.code is None:
        return 0
    tell(str(error.code))
    return FAILED


def _only_leaf(error: BaseException) -> BaseException:
    """The error inside exception groups of one, as task groups raise them."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def discard_stream(stream: TextIO) -> None:
    """Send a closed stream to the null device, so that the final flush raises nothing."""
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
        line = say(
            "unexpected {what}: this is a bug in volact; details are in {path}",
            what=what,
            path=path,
        )
    except OSError:
        line = say(
            "unexpected {what}: this is a bug in volact; its details could not be saved", what=what
        )
    tell(line)
    return FAILED


def _write_details(error: BaseException) -> str:
    handle, path = tempfile.mkstemp(prefix="volact-error-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"volact {__version__}, Python {platform.python_version()}, ")
        file.write(f"{platform.system()}\n\n{details(error)}")
    return path


def details(error: BaseException) -> str:
    """The traceback, with messages only of the types that hold no data."""
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
