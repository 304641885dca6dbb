"""Choosing the writer for a format name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

import msgspec

from volact.errors import InputError
from volact.model.text import say
from volact.report.base import Invocation, Writer
from volact.report.csv_rows import CsvWriter
from volact.report.json_document import JsonLinesWriter, JsonWriter
from volact.report.plan_text import PlanTextWriter
from volact.report.prometheus import PrometheusWriter
from volact.report.terminal_writer import TerminalWriter
from volact.report.text_table import TextWriter
from volact.report.undo_text import UndoTextWriter

STREAM_FORMATS = ("text", "json", "jsonl", "csv")
FILE_FORMATS = (*STREAM_FORMATS, "html", "junit", "prometheus")


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How text looks: only the terminal's matters."""

    columns: int = 100
    colour: bool = False
    everything: bool = False  # healthy servers too, and every step


def make_writer(format_: str, out: TextIO, how: Invocation, layout: Layout | None = None) -> Writer:
    """The writer for a format."""
    if format_ == "text":
        return _text(out, how, layout or Layout())
    if format_ not in _MAKERS:
        raise InputError(
            say("no report format {format}", format=repr(format_)),
            say("one of {known}", known=", ".join(FILE_FORMATS)),
        )
    return _MAKERS[format_](out, how)


def _text(out: TextIO, how: Invocation, layout: Layout) -> Writer:
    terminal = TerminalWriter(out, columns=layout.columns, colour=layout.colour)
    if how.command == "undo":
        return UndoTextWriter(terminal, how)
    if how.command == "plan":
        return PlanTextWriter(terminal, how)
    return TextWriter(terminal, how, everything=layout.everything)


def _html(out: TextIO, how: Invocation) -> Writer:
    from volact.report.html_page import HtmlWriter  # noqa: PLC0415 - the template engine is slow

    return HtmlWriter(out, how)


def _junit(out: TextIO, how: Invocation) -> Writer:
    from volact.report.junit import JUnitWriter  # noqa: PLC0415 - few runs need an XML library

    return JUnitWriter(out, how)


_MAKERS: dict[str, Callable[[TextIO, Invocation], Writer]] = {
    "json": JsonWriter,
    "jsonl": lambda out, _: JsonLinesWriter(out),
    "csv": CsvWriter,
    "html": _html,
    "junit": _junit,
    "prometheus": PrometheusWriter,
}
