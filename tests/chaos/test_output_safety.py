"""Servers that mean harm, over real SSH, and everything that is shown of them.

One run of the real program with every report at once, then the verbs that read
the store: no terminal obeys, no page runs, no spreadsheet computes, no line of a
log is forged.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cli_run
import pytest
from hostile import ATTACKS, WAYS, Hostile, Page, attacked, forged, formulas, obeyed
from ssh_host import PASSWORD, USER, Host

REPORTS = ("text", "json", "jsonl", "csv", "html", "junit", "prometheus")
TEXTS = ("text", "csv", "junit", "prometheus")


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


class Fleet:
    """A folder with an inventory of hostile servers, and the program for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard: list[bytes] = []  # by a webhook

    async def volact(self, *words: str) -> Ended:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "volact", *words),
            cwd=self.folder,
            env={**os.environ, "LAB_PW": PASSWORD},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Ended(process.returncode or 0, out.decode(), err.decode())

    async def run(self, verb: str, *more: str) -> Ended:
        return await self.volact(
            *(verb, "-i", "fleet.toml", "--provider", "tencent", "--deadline", "900", "--verbose"),
            *("--host-key-policy", "accept-new", "--known-hosts", "known_hosts", *more),
        )

    def told(self, *words: str) -> Ended:
        """What asks no server, in this process; as bytes, as a terminal gets it."""
        done = cli_run.volact(*words)
        return Ended(done.returncode, *(text.encode().decode() for text in done[1:]))

    def file(self, name: str) -> str:
        return (self.folder / f"report.{name}").read_bytes().decode("utf-8")


@asynccontextmanager
async def _webhook(heard: list[bytes]) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        heard.append(await reader.readexactly(size))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Fleet]:
    (tmp_path / "known_hosts").write_text("")
    inventory = ""
    async with AsyncExitStack() as stack:
        for way in WAYS:
            home = tmp_path / way
            (home / "AppData/Local/Temp").mkdir(parents=True)
            (home / "C:/Windows/Temp").mkdir(parents=True)
            host = Host(home, behaviour=Hostile(way))
            await host.start_server()
            stack.push_async_callback(host.stop)
            inventory += f'[[server]]\nname = "{way}"\nuser = "{USER}"\npassword-env = "LAB_PW"\n'
            inventory += f'address = "ssh://127.0.0.1:{host.port}"\n'
        (tmp_path / "fleet.toml").write_text(inventory)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("VOLACT_STORE", "store.db")
        monkeypatch.setenv("COLUMNS", "120")
        yield Fleet(tmp_path)


def harmless(ended: Ended) -> None:
    assert obeyed(ended.out) == []
    assert obeyed(ended.err) == []
    assert forged(ended.out) == forged(ended.err) == []
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("verb", ["check", "activate"])
async def test_no_report_does_what_a_server_says(fleet: Fleet, verb: str) -> None:
    wanted = [word for name in REPORTS for word in ("--report", f"{name}=report.{name}")]
    yes = ("--yes",) if verb == "activate" else ()
    async with _webhook(fleet.heard) as url:
        ended = await fleet.run(verb, *wanted, "--notify", url, *yes)
    assert ended.code in (3, 4), ended.err
    harmless(ended)
    for name in (*TEXTS, "json", "jsonl"):
        assert obeyed(fleet.file(name).replace("\r\n", "\n")) == [], name
        assert forged(fleet.file(name)) == [], name
    assert formulas(fleet.file("csv")) == []
    _documents(fleet)
    page = Page(fleet.file("html"))
    assert page.harm == []
    assert len(page.scripts) == len(Page(_benign_page()).scripts)
    assert not [script for script in page.scripts if "alert(1)</script" in script]
    for name in ("text", "csv", "html", "json"):
        assert "owned" in fleet.file(name), "the attack never came this far"
    (message,) = map(json.loads, fleet.heard)
    assert obeyed(json.dumps(message, ensure_ascii=False)) == []


def _documents(fleet: Fleet) -> None:
    """What programs read has one place for each server, for any answers."""
    rows = json.loads(fleet.file("json"))["servers"]
    assert sorted(row["name"] for row in rows) == sorted(WAYS)
    lines = [json.loads(line) for line in fleet.file("jsonl").splitlines()]
    assert sorted(line["name"] for line in lines if "name" in line) == sorted(WAYS)
    root = ElementTree.fromstring(fleet.file("junit"))
    assert len(root.findall(".//testcase")) == len(WAYS)
    for line in fleet.file("prometheus").splitlines():
        assert line.startswith(("#", "volact_")), line


def _benign_page() -> str:
    """The page of a run over nothing, for the scripts that are its own."""
    import io

    from volact.model.report import RunReport, Summary
    from volact.report.base import Invocation
    from volact.report.make import make_writer

    out = io.StringIO()
    writer = make_writer("html", out, Invocation(volact="1", command="check"))
    writer.finish(
        RunReport(
            volact="1",
            command="check",
            run="r",
            started="",
            elapsed_s=0.0,
            servers=(),
            summary=Summary(),
        )
    )
    return out.getvalue()


async def test_what_is_remembered_is_harmless_too(fleet: Fleet) -> None:
    await fleet.run("check")
    await fleet.run("activate", "--yes")
    for words in (
        ("status",),
        ("runs",),
        ("diff", "last~1", "last"),
        ("expiring", "--within", "9999d"),
        *(("history", way) for way in ("half", "whole")),
        *(("export", "last", "--output", name) for name in ("jsonl", "csv")),
    ):
        _shown(fleet.told(*words), words)
    for words in (
        ("plan", "-i", "fleet.toml", "--known-hosts", "known_hosts", "--output", "commands"),
        ("undo", "last", "-i", "fleet.toml", "--known-hosts", "known_hosts", "--dry-run"),
    ):
        _shown(await fleet.volact(*words), words)


def _shown(ended: Ended, words: tuple[str, ...]) -> None:
    assert ended.code in (0, 3, 4), (words, ended.err)
    harmless(Ended(ended.code, ended.out.replace("\r\n", "\n"), ended.err))
    if "csv" in words:
        assert formulas(ended.out) == []


async def test_what_is_brought_by_hand_is_harmless(fleet: Fleet) -> None:
    host = fleet.folder / "pasted.txt"
    host.write_bytes("".join(ATTACKS).encode("utf-8", "surrogatepass") + b"VOLACT1 9 00000000 {x\n")
    read = fleet.told("read-answer", "pasted.txt")
    explained = [fleet.told("explain", attack) for attack in ATTACKS[:2]]
    assert (read.code, "pasted.txt" in read.out) == (4, True)
    assert [(ended.code, ended.out, ended.err.count("\n")) for ended in explained] == [
        (2, "", 1)
    ] * 2
    for ended in (read, *explained):
        harmless(ended)


def test_attacks_are_seen_where_nothing_is_done_about_them() -> None:
    text = "".join(ATTACKS)
    assert obeyed(text)
    assert forged(text)
    assert formulas(f'name\r\n"{ATTACKS[3]}"\r\n')
    assert Page(f"<p>{ATTACKS[2]}").harm
    assert Page(f"<p>{ATTACKS[2]}").scripts
    assert attacked({"a": ["b"]}) != {"a": ["b"]}
