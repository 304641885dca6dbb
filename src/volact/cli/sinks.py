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
from volact.cli.failure import STDOUT, report_failed_output
from volact.errors import InputError
from volact.model.report import RunReport, ServerReport
from volact.model.text import say
from volact.report.base import Invocation, Writer
from volact.report.make import FILE_FORMATS, make_writer

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


class ReportFile:
    """A report that appears under its name when it is complete."""

    def __init__(self, target: ReportTarget, how: Invocation) -> None:
        self._path = target.path
        self._file = AtomicFile(target.path)
        self._writer = make_writer(target.format, self._file.file, how)

    def add(self, server: ServerReport) -> None:
        """Take one server's row."""
        self._writer.add(server)

    def finish(self, run: RunReport) -> None:
        """Write the end and put the file in its place."""
        self._writer.finish(run)
        self._file.keep()

    def discard(self) -> None:
        """Remove the incomplete report."""
        self._file.discard()

    @property
    def name(self) -> str:
        """The file as it was named on the command line."""
        return str(self._path)


class _Output:
    """Standard output."""

    name = STDOUT

    def __init__(self, writer: Writer) -> None:
        self.add = writer.add
        self._writer = writer

    def finish(self, run: RunReport) -> None:
        """Write the end and flush it."""
        self._writer.finish(run)
        sys.stdout.flush()


class Sinks:
    """All writers of a run."""

    def __init__(self, output: Writer, reports: Sequence[ReportTarget], how: Invocation) -> None:
        self._files: list[ReportFile] = []
        try:
            for target in reports:
                self._files.append(ReportFile(target, how))
        except InputError:
            self.discard()
            raise
        self._writers: list[ReportFile | _Output] = [*self._files, _Output(output)]
        self._lost: list[tuple[str, Exception]] = []

    @property
    def reading(self) -> bool:
        """Whether any writer is left."""
        return bool(self._writers)

    def add(self, server: ServerReport) -> None:
        """Hand a row to every writer."""
        self._each(lambda writer: writer.add(server))

    def finish(self, run: RunReport) -> bool:
        """Complete every report and print which failed; whether none did."""
        self._each(lambda writer: writer.finish(run))
        whole = [file for file in self._files if file in self._writers]
        self._files = [file for file in self._files if file not in whole]
        self.discard()
        for name, error in self._lost:
            report_failed_output(name, error)
        return not self._lost

    def _each(self, act: Callable[[ReportFile | _Output], None]) -> None:
        """Call every writer; one that raises is removed."""
        for writer in tuple(self._writers):
            try:
                act(writer)
            except Exception as error:  # reported at the end
                self._writers.remove(writer)
                self._lost.append((writer.name, error))

    def discard(self) -> None:
        """Remove incomplete reports."""
        for file in self._files:
            file.discard()
        self._files.clear()


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
