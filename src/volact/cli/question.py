"""The one question before servers are changed.  What it is about is the verb's to show."""

from __future__ import annotations

import sys

import typer

from volact.cli.conduct import Conductor
from volact.model.text import Text
from volact.words import tr


def consents(run: Conductor, question: Text) -> bool:
    """Ask on standard error.  Ctrl-C instead of an answer means no, and ends the run early.

    What was seen until then is worth its reports and its place in the store.
    """
    try:
        return typer.confirm(tr(question), default=False, err=True)
    except typer.Abort:
        sys.stderr.write("\n")  # the question's line is still open
        run.interrupt()
        return False
