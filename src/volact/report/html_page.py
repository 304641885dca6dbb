"""``--report html=FILE``: one self-contained page that asks nobody for anything.

The page carries its style and its few lines of script itself and forbids
everything else by its own Content-Security-Policy, with both named by hash.
Text is escaped by Jinja2 (autoescape); no value is ever marked as safe.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined

from volact.model.report import RunReport, ServerReport
from volact.model.text import count, say
from volact.report import html_rows as rows
from volact.report import html_view as view
from volact.report.base import Invocation
from volact.report.cluster_lines import worth_telling
from volact.report.group import natural
from volact.report.tally import Tally
from volact.report.words import WORST_FIRST, duration
from volact.words import language, tr


class HtmlWriter:
    """The page; it keeps the rows, because it sorts and groups them."""

    def __init__(self, out: TextIO, how: Invocation) -> None:
        self._out = out
        self._how = how
        self._rows: list[ServerReport] = []

    def add(self, server: ServerReport) -> None:
        """Keep one server."""
        self._rows.append(server)

    def finish(self, run: RunReport) -> None:
        """Write the page."""
        self._rows.sort(key=lambda row: (WORST_FIRST.index(row.verdict), natural(row.name)))
        template = _environment().get_template("report.html.j2")
        stream = template.stream(self._page(run))
        stream.enable_buffering(50)
        for piece in stream:
            self._out.write(piece.encode("utf-8", "replace").decode())

    def _page(self, run: RunReport) -> dict[str, Any]:
        anchors = {id(row): f"s{number}" for number, row in enumerate(self._rows, 1)}
        summary = Tally(self._rows).summary()
        return {
            "how": self._how,
            "run": run,
            "elapsed": duration(run.elapsed_s),
            "summary": summary,
            "tiles": view.tiles(summary, self._how.before),
            "causes": view.cause_bars(self._rows),
            "expiry": view.expiry_bars(self._rows, run.started),
            "clusters": worth_telling(run.clusters),
            "cards": view.cards(self._rows, anchors, self._how),
            "rows": self._views(anchors, run.started),
            **_assets(),
        }

    def _views(self, anchors: dict[int, str], now: str) -> Iterator[rows.Row]:
        for row in self._rows:
            yield rows.row(row, anchors[id(row)], self._how, now)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("volact.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(tr=tr, say=say, count=count, language=language)
    return made


@cache
def _assets() -> dict[str, str]:
    """The hashes by which the page allows exactly its own style and script.

    Both are files that the template includes: HTML has no escapes inside
    ``<style>`` and ``<script>``, so no value ever goes in there.
    """
    parts = {kind: _environment().get_template(f"report.{kind}").render() for kind in ("css", "js")}
    return {f"{kind}_hash": _sha256(text) for kind, text in parts.items()}


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
