"""Words that volact prints for cmd.exe arrive in a program as they were: Wine's cmd and reg."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from wine_server import WineServer

from volact.typed import quoted

_KEY = "HKCU\\Software\\volact-typed"
_WORDS = (
    "web-01,db 2", "web-*", "!db", "a&b", "a|b", "x>y", "(p)", "^c", 'say "x & y"', '"q"', "it's",
    "C:\\my folder\\", "C:\\Users\\me\\x.db", "end\\", "a=b;c", "own licence: ticket 4711",
)  # fmt: skip


@pytest.fixture
def typing(wine: WineServer) -> Iterator[WineServer]:
    """The server; what was typed there is removed after the test."""
    yield wine
    wine.delete_key(_KEY)
    (wine.temp / "typed.bat").unlink()


def test_cmd_hands_words_on_as_they_were_before_quoting(typing: WineServer) -> None:
    wine = typing
    file = wine.temp / "typed.bat"
    lines = [
        f"reg add {_KEY} /v w{at} /d {quoted(word, 'win32')} /f" for at, word in enumerate(_WORDS)
    ]
    file.write_text("".join(f"{line}\r\n" for line in lines), newline="")
    os.chown(file, wine.uid, wine.gid)
    found: dict[str, str] = {}

    def took() -> bool:
        told = wine.tool("reg", "query", _KEY).stdout
        found.update(re.findall(r"^\s+(w\d+)\s+REG_SZ\s+(.*?)\r?$", told, re.MULTILINE))
        return len(found) == len(_WORDS)

    wine.prepare("cmd", "/c", f"{wine.windows_temp}\\typed.bat", took=took)
    assert found == {f"w{at}": word for at, word in enumerate(_WORDS)}
