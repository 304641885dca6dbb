"""Running volact inside the test's own process, where no real process is the point."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

from volact.cli.entry import main


class Done(NamedTuple):
    """What a command line did."""

    returncode: int
    stdout: str
    stderr: str


def volact(*args: str) -> Done:
    """Run one command line; under pytest standard input is no terminal."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(args)
    return Done(code, out.getvalue(), err.getvalue())
