"""The outputs of a run's rows: standard output and any number of report files.

Files are opened before the run, so that a path that cannot be written is an error at
once.  They appear under their name when they are complete.  A writer that fails is
removed; the run and the other writers go on.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from volact.cli.atomic_file import AtomicFile, require_other_file
from volact.cli.console import columns_of, use_stdout, wants_colour
from volact.cli.failure import STDOUT, report_failed_output
from volact.errors import InputError
from volact.model.report import RunReport, ServerReport
from volact.model.text import say
from volact.report.base import Invocation, Writer
from volact.report.make import FILE_FORMATS, Layout, make_writer

# A comma separates reports only where a format follows it; ",," there is one of a path's own.
_NEXT = re.compile(rf"(?<!,),(?=(?:{'|'.join(FILE_FORMATS)})=)")
_OWN_COMMA = re.compile(rf",,(?=(?:{'|'.join(FILE_FORMATS)})=)")


class ReportTarget(msgspec.Struct, frozen=True):
    """One ``FORMAT=FILE`` of ``--report``."""

    format: str
    path: Path


def parse_reports(words: Sequence[str], read: Iterable[str] = ()) -> tuple[ReportTarget, ...]:
    """The report files of ``--report``; ``InputError`` for a word that is none.

    ``read`` are files that the verb reads: none of them is replaced by a report.
    """
    targets = tuple(_parse(one) for word in words for one in _NEXT.split(word))
    paths = [target.path for target in targets]
    for path in paths:
        if paths.count(path) > 1:
            raise InputError(say("--report writes {path} twice", path=path))
        require_other_file(path, read)
    return targets


def _parse(word: str) -> ReportTarget:
    format_, sign, path = word.partition("=")
    if not sign or not path or format_ not in FILE_FORMATS:
        known = ", ".join(f"{name}=FILE" for name in FILE_FORMATS)
        raise InputError(
            say("--report {word}: not FORMAT=FILE", word=word), say("one of {known}", known=known)
        )
    return ReportTarget(format_, Path(_OWN_COMMA.sub(",", path)))


class _Output(msgspec.Struct, eq=False):
    """A writer, and what is done with what it wrote when that is complete, or never will be."""

    name: str  # as on the command line
    writer: Writer
    keep: Callable[[], object]
    discard: Callable[[], object]


class Sinks:
    """All writers of a run."""

    def __init__(self, output: Writer, reports: Sequence[ReportTarget], how: Invocation) -> None:
        self._files: list[_Output] = []
        try:
            for target in reports:
                file = AtomicFile(target.path)
                writer = make_writer(target.format, file.file, how)
                self._files.append(_Output(str(target.path), writer, file.keep, file.discard))
        except InputError:
            self.discard()
            raise
        stdout = _Output(STDOUT, output, sys.stdout.flush, lambda: None)
        self._outputs = [*self._files, stdout]
        self._lost: list[tuple[str, Exception]] = []

    @property
    def reading(self) -> bool:
        """Whether any writer is left."""
        return bool(self._outputs)

    def add(self, server: ServerReport) -> None:
        """Hand a row to every writer."""
        self._each(lambda output: output.writer.add(server))

    def finish(self, run: RunReport) -> bool:
        """Complete every report and print which failed; whether none did."""

        def end(output: _Output) -> None:
            output.writer.finish(run)
            output.keep()

        self._each(end)
        whole = [file for file in self._files if file in self._outputs]
        self._files = [file for file in self._files if file not in whole]
        self.discard()
        for name, error in self._lost:
            report_failed_output(name, error)
        return not self._lost

    def _each(self, act: Callable[[_Output], object]) -> None:
        """Call every writer; one that raises is removed."""
        for output in tuple(self._outputs):
            try:
                act(output)
            except Exception as error:  # reported at the end
                self._outputs.remove(output)
                self._lost.append((output.name, error))

    def discard(self) -> None:
        """Remove incomplete reports."""
        for file in self._files:
            file.discard()
        self._files.clear()


def stdout_writer(format_: str, how: Invocation, verbose: bool) -> Writer:
    """The report on standard output."""
    out = use_stdout(format_)
    layout = Layout(columns=columns_of(out), colour=wants_colour(out), everything=verbose)
    return make_writer(format_, out, how, layout)


def require_writable(words: Sequence[str]) -> None:
    """``InputError`` if a report could not be written; writes none."""
    nothing = Invocation(volact="", command="")
    Sinks(NullWriter(), parse_reports(words), nothing).discard()


class NullWriter:
    """A writer that discards its rows."""

    def add(self, server: ServerReport) -> None:
        """Do nothing."""

    def finish(self, run: RunReport) -> None:
        """Do nothing."""
