"""``--report html=FILE``: one self-contained page that loads nothing.

The page carries its style and its script itself and forbids everything else by
its own Content-Security-Policy, with both named by hash.  Text is escaped by
Jinja2 (autoescape); no value is ever marked as safe.

A server's row is written to disk as it comes; in memory stay counts, a few rows
of each group, and where each row begins.  All rows stand inside ``<noscript>``,
a line each: without JavaScript they are the page, with it they are text that the
script shows as far as the page is scrolled.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import Any, TextIO

from jinja2 import Environment

from volact.model.report import RunReport, ServerReport
from volact.report import html_view as view
from volact.report.base import Invocation
from volact.report.group import natural_text, worth_telling
from volact.report.html_rows import row
from volact.report.run_counts import RunCounts
from volact.report.spool import Spool
from volact.report.templating import environment
from volact.report.words import WORST_FIRST, duration


class HtmlWriter:
    """The page."""

    def __init__(self, out: TextIO, how: Invocation) -> None:
        self._out = out
        self._how = how
        self._template = _environment().get_template("row.html.j2")
        self._rows = Spool()
        self._places: list[tuple[int, str, int]] = []  # verdict, name, where its row begins
        self._counts = RunCounts()
        self._causes = view.CauseBars()
        self._expiry = view.ExpiryBars(how.started)
        self._cards = view.Cards(how)

    def add(self, server: ServerReport) -> None:
        """Count one server and put its row aside."""
        anchor = f"s{len(self._places) + 1}"
        html = self._template.render(row=row(server, anchor, self._how, self._how.started))
        at = self._rows.add(" ".join(html.split("\n")).strip())
        self._places.append((WORST_FIRST.index(server.verdict), server.name, at))
        self._counts.add(server)
        self._causes.add(server)
        self._expiry.add(server)
        self._cards.add(server, anchor)

    def finish(self, run: RunReport) -> None:
        """Write the page."""
        values = self._page(run)
        self._part("report_head.html.j2", values)
        self._places.sort(key=lambda place: (place[0], natural_text(place[1])))
        for _, _, at in self._places:
            self._out.write(self._rows.line(at))
        self._rows.close()
        self._part("report_foot.html.j2", values)

    def _part(self, name: str, values: dict[str, Any]) -> None:
        text = _environment().get_template(name).render(values)
        self._out.write(text.encode("utf-8", "replace").decode() + "\n")

    def _page(self, run: RunReport) -> dict[str, Any]:
        summary = self._counts.summary()
        return {
            "how": self._how,
            "run": run,
            "elapsed": duration(run.elapsed_s),
            "summary": summary,
            "tiles": view.tiles(summary, self._how.before, accepted=bool(self._counts.accepted)),
            "causes": self._causes.bars(),
            "expiry": self._expiry.bars(),
            "clusters": worth_telling(run.clusters),
            "cards": self._cards.cards(),
            "columns": view.columns(),
            **_assets(),
        }


@cache
def _environment() -> Environment:
    return environment("volact.report")


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
