"""The entry point of ``volact``: exit codes, and exceptions as one line.

Imports wait until they are needed: ``--version`` loads nothing else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from volact import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    if args == ["--version"]:
        sys.stdout.write(f"volact {__version__}\n")
        return 0
    from volact.words import (  # noqa: PLC0415 - not needed for the version
        choose_language,
        speaking,
        system_language,
    )

    with speaking(choose_language(os.environ, system_language())):
        return _run(args)


def _run(args: Sequence[str]) -> int:
    try:
        from volact.cli.app import run  # noqa: PLC0415 - inside try: loading may be interrupted

        code = run(args)
        sys.stdout.flush()
    except BaseException as error:
        from volact.cli.failure import report_error  # noqa: PLC0415 - only for an error

        return report_error(error)
    return code
