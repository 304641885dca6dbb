"""``--output json`` and ``jsonl``: the contract of docs/cli.md, written as it happens.

Rows go out when they come, so the memory of a run does not grow with it.  In
``json`` the document is one object with a server a line; in ``jsonl`` every
server is a line and the last line carries the summary.
"""

from __future__ import annotations

import re
from typing import Any, TextIO

import msgspec

from volact.model.report import RunReport, ServerReport
from volact.model.text import OBEYED, in_json, without_surrogates
from volact.report.base import Invocation


def encode(value: Any) -> str:
    """A value as JSON on one line; text that has no UTF-8 form is replaced, never fatal.

    Signs that a terminal would obey are written as their escapes: the same for
    a JSON reader.
    """
    try:
        text = msgspec.json.encode(value, enc_hook=in_json).decode()
    except UnicodeEncodeError:
        plain = msgspec.to_builtins(value, enc_hook=in_json)
        text = msgspec.json.encode(without_surrogates(plain)).decode()
    harmless = text.isascii() and "\x7f" not in text
    return text if harmless else OBEYED.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    """As JSON writes it: beyond 16 bits in two parts."""
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


class JsonWriter:
    """One document; ``elapsed_s`` and ``summary`` come after the servers."""

    def __init__(self, out: TextIO, how: Invocation) -> None:
        self._out = out
        self._how = how
        self._rows = 0

    def add(self, server: ServerReport) -> None:
        """Write one server's row."""
        self._out.write((",\n" if self._rows else self._head()) + encode(server))
        self._rows += 1

    def finish(self, run: RunReport) -> None:
        """Close the document."""
        if not self._rows:
            self._out.write(self._head())
        self._out.write(
            f'\n],\n"elapsed_s":{encode(run.elapsed_s)},"summary":{encode(run.summary)},'
            f'"clusters":{encode(run.clusters)},"notes":{encode(run.notes)},'
            f'"stopped":{encode(run.stopped)}}}\n'
        )

    def _head(self) -> str:
        how = self._how
        head = {"volact": how.volact, "command": how.command}
        head |= {"run": how.run, "started": how.started}
        return encode(head).removesuffix("}") + ',"servers":[\n'


class JsonLinesWriter:
    """A server a line as it finishes, then one line with the summary and no ``servers``."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def add(self, server: ServerReport) -> None:
        """Write one server's line at once."""
        self._out.write(encode(server) + "\n")
        self._out.flush()

    def finish(self, run: RunReport) -> None:
        """Write the last line."""
        rest = msgspec.to_builtins(run, enc_hook=in_json)
        del rest["servers"]
        self._out.write(encode(rest) + "\n")
