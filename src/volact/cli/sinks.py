"""Where a run's rows go: standard output and any number of report files.

Files are opened before anything starts, so that a path that cannot be written
is said at once, and appear under their name only when they are complete.  A
writer that fails is switched off; it never costs the run or another writer.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from volact.cli.failure import STDOUT, report_lost
from volact.cli.whole_file import WholeFile
from volact.errors import InputError
from volact.model.report import RunReport, ServerReport
from volact.report.base import Invocation, Writer
from volact.report.make import FILE_FORMATS, make_writer

# A comma separates reports only where a format follows it; ",," there is one of a path's own.
_NEXT = re.compile(rf"(?<!,),(?=(?:{'|'.join(FILE_FORMATS)})=)")
_OWN_COMMA = re.compile(rf",,(?=(?:{'|'.join(FILE_FORMATS)})=)")


class Target(msgspec.Struct, frozen=True):
    """One ``FORMAT=FILE`` of ``--report``."""

    format: str
    path: Path


def parse_reports(words: Sequence[str]) -> tuple[Target, ...]:
    """The report files asked for; ``InputError`` for what is none."""
    targets = tuple(_parse(one) for word in words for one in _NEXT.split(word))
    paths = [target.path for target in targets]
    for path in paths:
        if paths.count(path) > 1:
            raise InputError(f"--report writes {path} twice")
    return targets


def _parse(word: str) -> Target:
    format_, sign, path = word.partition("=")
    if not sign or not path or format_ not in FILE_FORMATS:
        known = ", ".join(f"{name}=FILE" for name in FILE_FORMATS)
        raise InputError(f"--report {word}: not FORMAT=FILE", f"one of {known}")
    return Target(format_, Path(_OWN_COMMA.sub(",", path)))


class ReportFile:
    """A report written beside its name and moved there when it is whole."""

    def __init__(self, target: Target, how: Invocation) -> None:
        self._path = target.path
        self._file = WholeFile(target.path)
        self._writer = make_writer(target.format, self._file.file, how)

    def add(self, server: ServerReport) -> None:
        """Take one server's row."""
        self._writer.add(server)

    def finish(self, run: RunReport) -> None:
        """Write the end and put the file in its place."""
        self._writer.finish(run)
        self._file.keep()

    def discard(self) -> None:
        """Leave nothing behind of a report that never became whole."""
        self._file.discard()

    @property
    def name(self) -> str:
        """The file as the person named it."""
        return str(self._path)


class _Output:
    """Standard output; what it still holds back belongs to its end."""

    name = STDOUT

    def __init__(self, writer: Writer) -> None:
        self.add = writer.add
        self._writer = writer

    def finish(self, run: RunReport) -> None:
        """Write the end, as far as the other side of the pipe."""
        self._writer.finish(run)
        sys.stdout.flush()


class Sinks:
    """All writers of a run."""

    def __init__(self, output: Writer, reports: Sequence[Target], how: Invocation) -> None:
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
        """Whether anything of the run is still written anywhere."""
        return bool(self._writers)

    def add(self, server: ServerReport) -> None:
        """Hand a row to every writer."""
        self._each(lambda writer: writer.add(server))

    def finish(self, run: RunReport) -> bool:
        """End every report and say which were lost; whether none was."""
        self._each(lambda writer: writer.finish(run))
        whole = [file for file in self._files if file in self._writers]
        self._files = [file for file in self._files if file not in whole]
        self.discard()
        for name, error in self._lost:
            report_lost(name, error)
        return not self._lost

    def _each(self, act: Callable[[ReportFile | _Output], None]) -> None:
        """The same for every writer, each by itself: none may cost another."""
        for writer in tuple(self._writers):
            try:
                act(writer)
            except Exception as error:  # kept, and told at the end
                self._writers.remove(writer)
                self._lost.append((writer.name, error))

    def discard(self) -> None:
        """Remove what is not whole."""
        for file in self._files:
            file.discard()
        self._files.clear()


def require_writable(words: Sequence[str]) -> None:
    """``InputError`` when a report could not be written, without writing one."""
    nothing = Invocation(volact="", command="")
    Sinks(Nowhere(), parse_reports(words), nothing).discard()


class Nowhere:
    """The writer for rows that nobody reads."""

    def add(self, server: ServerReport) -> None:
        """Let it go."""

    def finish(self, run: RunReport) -> None:
        """Let it go."""
