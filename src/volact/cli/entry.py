"""Where ``volact`` starts: the quickest answers first, then everything else.

``main`` alone decides the exit code and is the only place that turns an
exception into words.  Nothing heavy is imported before it is needed.
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
    from volact.words import choose_language, speaking, system_language

    with speaking(choose_language(os.environ, system_language())):
        return _run(args)


def _run(args: Sequence[str]) -> int:
    try:
        from volact.cli.app import run

        code = run(args)
        sys.stdout.flush()
    except BaseException as error:
        from volact.cli.failure import settle

        return settle(error)
    return code
