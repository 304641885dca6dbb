"""Targets: a server's answer, from its bytes to the report that shows it."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from corpus import bodies, recorded
from fuzz_base import Target

from volact.agent.answer import Answer, read_answer
from volact.agent.pasted import find_answers
from volact.core.facts import read_facts
from volact.core.sddl import execute_access
from volact.errors import AnswerError
from volact.model.facts import Clock
from volact.model.report import RunReport, ServerReport, Summary
from volact.model.server import Address, Server
from volact.pipeline import Job, read_one, run_one
from volact.report.base import Invocation
from volact.report.make import FILE_FORMATS, Layout, make_writer
from volact.transports.base import Raw, Transport

SERVER = Server(name="web-01", address=Address(scheme="ssh", host="10.0.0.5"), provider="tencent")
_HOW = Invocation(volact="1", command="activate", started="2026-11-24T08:00:00Z")
_CLOCK = Clock(1_790_000_000.0, 1_790_000_000.5)
_JOB = Job(mode="plan")
_ACTIVATE = Job(mode="activate")
_REQUEST = re.compile(rb"var REQUEST = (\{.*\});")


def framed(body: bytes) -> bytes:
    """A body as the line that the agent would print: length and checksum are right."""
    return b"Active code page: 65001\r\nVOLACT1 %d %08x %s\r\n" % (
        len(body),
        zlib.crc32(body),
        body,
    )


def _answers() -> Sequence[bytes]:
    return recorded(CORPUS_SERVERS)


def _bodies() -> Sequence[bytes]:
    return bodies(_answers())


def _raw(data: bytes) -> None:
    """The output as bytes, with its checksum, right or wrong."""
    answer = read_answer(data, _id_in(data))
    read_facts(answer.facts, _CLOCK)


def _id_in(data: bytes) -> str:
    match = re.search(rb'"id": ?"([0-9a-f]+)"', data)
    return match[1].decode("ascii") if match else ""


def _facts(data: bytes) -> None:
    """A whole answer with odd values: judged, planned for, and shown in every format."""
    answer = read_answer(framed(data), _id_in(data))
    show(read_one(SERVER, answer, _JOB).report, len(data) % 16 == 0)


def show(row: ServerReport, everything: bool) -> str:
    """The row in the formats of reports; HTML, the slowest, only with ``everything``."""
    out = io.StringIO()
    formats = FILE_FORMATS if everything else ("text", "csv", "jsonl")
    run = RunReport(
        volact="1",
        command="activate",
        run="r",
        started="",
        elapsed_s=0.1,
        servers=(),
        summary=Summary(),
    )
    for name in formats:
        writer = make_writer(name, out, _HOW, Layout(everything=True))
        writer.add(row)
        writer.finish(run)
    return out.getvalue()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def _visit(data: bytes) -> None:
    """A probe and a repair of one server whose two answers are odd; its row is shown."""
    first, second = data, data[: len(data) // 2] + data[len(data) // 2 :][::-1]
    row = _loop().run_until_complete(run_one(SERVER, _Odd(first, second), _ACTIVATE))
    assert row.verdict in ("healthy", "attention", "failed", "unreachable", "not-started")
    assert row.error is None or "\n" not in row.error.message
    show(row, len(data) % 32 == 0)


class _Odd:
    """A server whose answers are given: right in form, odd in content."""

    def __init__(self, *bodies: bytes) -> None:
        self._bodies = list(bodies)

    @asynccontextmanager
    async def __call__(self, server: Server) -> AsyncIterator[Transport]:
        yield self

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        match = _REQUEST.search(script)
        assert match is not None
        request = json.loads(match[1].replace(b"*\\/", b"*/"))
        now = time.time()
        return Raw(self._answer(request), b"", 0, now - 0.1, now)

    def _answer(self, request: dict[str, Any]) -> bytes:
        body = self._bodies.pop(0) if self._bodies else b"{}"
        try:
            said = json.loads(body)
        except ValueError:
            return framed(body)
        if isinstance(said, dict):
            said |= {"id": request["id"], "mode": request["mode"]}
            steps = request.get("steps", [])
            given = said.get("results")
            if not isinstance(given, list) or len(given) != len(steps):
                said["results"] = [{"do": s["do"], "ok": True, "changed": True} for s in steps]
        return framed(json.dumps(said).encode("ascii"))

    async def close(self) -> None:
        """Nothing is open."""


def _pasted(data: bytes) -> None:
    for one in find_answers(data):
        if isinstance(one.result, Answer):
            read_facts(one.result.facts, None)
        else:
            assert isinstance(one.result, AnswerError)
            assert "\n" not in one.result.line()


def _pasted_seeds() -> Sequence[bytes]:
    """Answers as they come out of consoles, mails and API answers."""
    made: list[bytes] = []
    for index, output in enumerate(_answers()[:12]):
        text = output.decode("utf-8", "replace")
        forms = (
            text,
            "\n".join(text[at : at + 80] for at in range(0, len(text), 80)),
            json.dumps({"Output": text, "Status": "SUCCESS"}),
            "\n".join(f"> {line}" for line in text.splitlines()),
            text.replace('"', '""'),
        )
        made.append(forms[index % len(forms)].encode())
    made += [made[0].decode().encode("utf-16"), b"VOLACT0 error x\n" * 3]
    return made


def _sddl(data: bytes) -> None:
    execute_access(data.decode("utf-8", "replace"))


def _sddl_seeds() -> Sequence[bytes]:
    return [
        b"D:PAI(A;;FA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)",
        b"O:SYG:SYD:PAI(D;;FX;;;NS)(A;;0x1200a9;;;BA)(A;;0x1200a9;;;SY)(A;;GXGR;;;BU)",
        b"D:AI(A;OICIIO;GA;;;CO)(A;ID;FA;;;SY)S:(AU;FA;WD;;;WD)",
    ]


CORPUS_SERVERS = 24

TARGETS = (
    Target("answer-bytes", "output of the agent, harmed", "bytes", _answers, _raw, 0.15),
    Target(
        "answer-facts",
        "whole answers with odd facts: judged, planned, shown",
        "json",
        _bodies,
        _facts,
        0.16,
    ),
    Target(
        "answer-visit",
        "probe, repair, closing probe, row, every report",
        "json",
        _bodies,
        _visit,
        0.02,
    ),
    Target("read-answer", "pasted text", "bytes", _pasted_seeds, _pasted, 0.06),
    Target("sddl", "access lists of servers", "bytes", _sddl_seeds, _sddl, 0.06),
)
