"""The entry point of ``volact``: exit codes, and exceptions as one line.

Imports wait until they are needed: ``--version`` loads nothing else.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence

from volact import __version__
from volact.account import ensure_account_name
from volact.child_process import forget_path


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    stand_on_any_ground()
    args = list(sys.argv[1:] if argv is None else argv)
    if args == ["--version"]:
        return _guarded(_version)
    from volact.words import (  # noqa: PLC0415 - not needed for the version
        choose_language,
        speaking,
        system_language,
    )

    with speaking(choose_language(os.environ, system_language())):
        return _run(args)


def stand_on_any_ground() -> None:
    """Give the process what others take for granted: three descriptors, a home and a name.

    A closed descriptor among the first three is given to the next file or socket that is
    opened, and uvloop aborts.  Containers start processes for accounts that are in no
    list and have no ``HOME``.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is this one: those below it are open.
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    if not os.environ.get("HOME") and os.path.expanduser("~") == "~":  # noqa: PTH111
        os.environ["HOME"] = "/"  # as container runtimes do
    ensure_account_name()
    forget_path()


def _version() -> int:
    sys.stdout.write(f"volact {__version__}\n")
    return 0


def _run(args: Sequence[str]) -> int:
    from volact.bounded.memory import keep_memory_private  # noqa: PLC0415 - not for the version

    keep_memory_private()
    gc.set_threshold(20_000, 10, 10)  # with Python's default a sixth of all importing is this
    return _guarded(lambda: _loaded(args))


def _loaded(args: Sequence[str]) -> int:
    from volact.cli.app import run  # noqa: PLC0415 - here, for loading may be interrupted

    try:
        return run(args)
    except UnicodeEncodeError as error:
        from volact.cli.failure import require_text  # noqa: PLC0415 - only for an error

        require_text(args, error)
        raise


def _guarded(act: Callable[[], int]) -> int:
    """The exit code of an act; an exception is one line."""
    try:
        code = act()
        sys.stdout.flush()
    except BaseException as error:
        from volact.cli.failure import report_error  # noqa: PLC0415 - only for an error

        return report_error(error)
    return code
