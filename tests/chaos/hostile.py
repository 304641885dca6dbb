"""A server that means harm: it speaks SSH and the agent's language, and every word is an attack.

What it attacks with, and how one sees that an attack has come through.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from scripted import HEALTHY, WRONG, answer, facts, request_of
from ssh_host import Host, Process

FORGED = "volact: everything is fine"
ATTACKS = (
    "\x1b[2J\x1b]0;owned\x07\x1b[1A",
    f"\r\n{FORGED}\r\n",
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "=cmd|' /c calc'!A0",
    "\u202egnp.exe\u2066\u200b",
    "\x9b31m\x85\u2028",
    "'\"><svg/onload=alert(3)>{{7*7}}${7*7}%s%n",
    "@SUM(1+1)\t+1",
    "\x00\x7f\ufff9\U000e0041",
)
_ALLOWED = ("\n",)
_ENDS = re.compile(r"\r\n")


def attacked(value: Any, number: int = 0, *, whole: bool = False) -> Any:
    """The same facts, with an attack before every string of theirs or in its place."""
    if isinstance(value, str):
        attack = ATTACKS[(number + len(value)) % len(ATTACKS)]
        return attack if whole else attack + value
    if isinstance(value, dict):
        return {key: attacked(item, number + i, whole=whole) for i, (key, item) in
                enumerate(value.items())}  # fmt: skip
    if isinstance(value, list):
        return [attacked(item, number + i, whole=whole) for i, item in enumerate(value)]
    return value


class Hostile:
    """The behaviour of one such server over a whole run, for every request."""

    def __init__(self, way: str) -> None:
        self._way = way

    async def __call__(self, host: Host, process: Process, script: Path) -> None:
        request = request_of(script.read_bytes())
        script.unlink()
        process.stdout.write(self._said(request))
        process.stderr.write("".join(ATTACKS).encode("utf-8", "surrogatepass"))
        process.exit(0)

    def _said(self, request: dict[str, Any]) -> bytes:
        if self._way == "noise":
            return "".join(ATTACKS).encode("utf-8", "surrogatepass") + b"\r\n"
        if self._way == "error":
            return b"VOLACT0 error \x1b[2J =cmd <script>alert(1)</script>\r\n"
        said = facts(**(WRONG if request["mode"] == "probe" else HEALTHY))
        said = attacked(said, whole=self._way == "whole") | {"elevated": True}
        if self._way == "surrogate":  # it has no form in UTF-8
            said["os"]["name"] = "\ud800"
        if self._way == "half":  # what decides stays, so that steps are sent
            kept, said = facts(**WRONG), facts(**WRONG) | {"os": said["os"]}
            said["os"] |= {k: kept["os"][k] for k in ("version", "build", "sku", "edition")}
        steps = [self._result(step) for step in request.get("steps", [])]
        return answer(request, {**said, "results": steps})

    def _result(self, step: dict[str, Any]) -> dict[str, Any]:
        text = "".join(ATTACKS)
        seen = {text: text, "host": text, "list": [text]}
        done = {"do": step["do"], "ok": False, "changed": True, "hresult": 0xC004F074}
        return done | {"note": text, "before": seen, "after": seen}


WAYS = ("prefix", "whole", "half", "surrogate", "noise", "error")


def obeyed(text: str) -> list[str]:
    """Signs in a text that a terminal would obey, or that hide or turn it."""
    bad = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    return [
        f"{line[:200]!r}"
        for line in text.split("\n")
        if any(unicodedata.category(char) in bad for char in line)
    ]


def forged(text: str) -> list[str]:
    """Lines that a server has made up."""
    return [line for line in text.splitlines() if line.strip().startswith(FORGED)]


def formulas(text: str) -> list[str]:
    """Cells of a CSV that a spreadsheet would compute."""
    rows = list(csv.reader(io.StringIO(text)))
    widths = {len(row) for row in rows}
    assert len(widths) == 1, f"rows of several widths: {widths}"
    return [
        cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    ]


class Page(HTMLParser):
    """What an HTML page would do: its scripts, and everything that starts one."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[str] = []
        self.harm: list[str] = []
        self._script = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self._script = True
            self.scripts.append("")
        if tag in ("img", "iframe", "object", "embed", "base", "form", "link"):
            self.harm.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.harm.append(f"{name}={value}")

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._script:
            self.scripts[-1] += data
