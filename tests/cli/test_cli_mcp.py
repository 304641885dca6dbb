"""``volact mcp``: tools that read and plan, asked by a real client over a pipe."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cli_run import volact
from lab_thread import drawn_lab

if TYPE_CHECKING:
    from mcp import Client

pytestmark = pytest.mark.xdist_group("mcp")  # its lab is started once
VOLACT = [sys.executable, "-m", "volact"]
Answers = dict[str, Any]
READING = {"explain", "status", "servers", "history"}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """A lab of three servers and a store with a check of them."""
    file = tmp_path_factory.mktemp("mcp") / "volact.db"
    with drawn_lab("simple", 3, 5) as inventory:
        done = volact("check", "-i", str(inventory), "--store", str(file), "--no-progress")
        assert done.returncode == 3
        yield inventory, file


@asynccontextmanager
async def asked(*words: str) -> AsyncIterator[Client]:
    # Not above: every process that tests run in would load it, for the one that needs it.
    from mcp import Client, StdioServerParameters

    given = StdioServerParameters(
        command=VOLACT[0], args=[*VOLACT[1:], "mcp", *words], env=dict(os.environ)
    )
    async with Client(given) as client:
        yield client


def told(result: Any) -> Any:
    """What a tool answered, as values."""
    assert not result.is_error, result.content
    found = result.structured_content
    return found["result"] if set(found) == {"result"} else found


WRONG: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("explain", {"code": "no-such-code"}, "no-such-code"),
    ("history", {"server": "no-such-server"}, "no-such-server"),
    ("servers", {"verdict": "green"}, "green"),
    ("servers", {"cursor": "!"}, "cursor"),
    ("servers", {"ends_within_days": 2**70}, "less than or equal to 36500"),
    ("history", {"server": "web-01", "limit": 0}, "greater than or equal to 1"),
    ("history", {"server": "web-01", "limit": 2**70}, "less than or equal to 1000"),
    ("plan", {"servers": []}, "name at least one"),
    ("plan", {"servers": ["no-such-server"]}, "no-such-server"),
)


@pytest.fixture(scope="module")
def with_inventory(stored: tuple[Path, Path]) -> Answers:
    """The tools, two plans and wrong input, asked in one session."""
    inventory, store = stored

    async def ask() -> Answers:
        async with asked("--store", str(store), "-i", str(inventory)) as client:
            tools = (await client.list_tools()).tools
            plans = [await client.call_tool("plan", {"servers": ["*"]}) for _ in range(2)]
            wrong = [await client.call_tool(tool, given) for tool, given, _ in WRONG]
        return {"tools": tools, "plans": plans, "wrong": wrong}

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def without_inventory(stored: tuple[Path, Path]) -> Answers:
    """The tools, the store and a code, asked in one session."""

    async def ask() -> Answers:
        async with asked("--store", str(stored[1])) as client:
            tools = (await client.list_tools()).tools
            fleet = told(await client.call_tool("status", {}))
            page = told(await client.call_tool("servers", {"verdict": "attention"}))
            name = page["items"][0]["name"]
            history = told(await client.call_tool("history", {"server": name}))
            code = told(await client.call_tool("explain", {"code": "-1073418124"}))
        found = {"fleet": fleet, "page": page, "history": history, "code": code}
        return {"tools": tools, **found}

    return asyncio.run(ask())


def test_every_tool_reads_only(with_inventory: Answers) -> None:
    tools = with_inventory["tools"]
    assert {tool.name for tool in tools} == READING | {"plan"}
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
    assert all(tool.description for tool in tools)


def test_without_an_inventory_no_server_is_contacted(without_inventory: Answers) -> None:
    assert {tool.name for tool in without_inventory["tools"]} == READING


def test_the_store_is_asked(without_inventory: Answers) -> None:
    fleet, page, history = (without_inventory[part] for part in ("fleet", "page", "history"))
    assert fleet["summary"]["servers"] == 3
    assert len(page["items"]) == fleet["summary"]["attention"] > 0
    assert history["server"]["name"] == page["items"][0]["name"]
    assert len(history["looks"]) == 1


def test_a_code_is_explained(without_inventory: Answers) -> None:
    found = without_inventory["code"]
    assert found["name"] == "0xC004F074"
    assert found["remedy"]


def test_a_plan_changes_nothing(with_inventory: Answers) -> None:
    first, again = map(told, with_inventory["plans"])
    assert sum(len(row["plan"]) for row in first) > 0
    assert sorted((row["name"], len(row["plan"])) for row in again) == sorted(
        (row["name"], len(row["plan"])) for row in first
    )
    assert not any(row["results"] for row in again)


def test_wrong_input_is_one_line(with_inventory: Answers) -> None:
    """In one session, which each of them leaves as it was."""
    for result, (tool, given, line) in zip(with_inventory["wrong"], WRONG, strict=True):
        (text,) = [part.text for part in result.content if part.type == "text"]
        assert result.is_error, (tool, given)
        assert line in text
        assert "Traceback" not in text


async def test_a_missing_store_is_said(tmp_path: Path) -> None:
    async with asked("--store", str(tmp_path / "none.db")) as client:
        result = await client.call_tool("status", {})
    assert result.is_error
    assert not (tmp_path / "none.db").exists()
