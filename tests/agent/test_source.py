"""The agent's sources keep to what every script host takes, and to their own rules."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from script import source

from volact.agent.render import PARTS
from volact.agent.squeeze import squeeze

NAMES = sorted({part for parts in PARTS.values() for part in parts})
# One word a line would hide the test behind its data.
RESERVED = re.findall(
    r"\w+",
    """
    abstract boolean break byte case catch char class const continue debugger default
    delete do double else enum export extends false final finally float for function goto
    if implements import in instanceof int interface long native new null package private
    protected public return short static super switch synchronized this throw throws
    transient true try typeof var void volatile while with
    """,
)
STRINGS = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


def code(name: str) -> str:
    """A part without comments and with its strings emptied."""
    return STRINGS.sub('""', re.sub(r"/\*.*?\*/", "", source(name), flags=re.DOTALL))


def test_every_part_belongs_to_a_mode() -> None:
    folder = resources.files("volact.agent").joinpath("source")
    assert (
        sorted(
            item.name.removesuffix(".js") for item in folder.iterdir() if item.name.endswith(".js")
        )
        == NAMES
    )


@pytest.mark.parametrize("name", NAMES)
def test_only_the_oldest_script_is_used(name: str) -> None:
    text = code(name)
    assert not re.search(r",\s*[}\]]", text), "a comma before a closing bracket"
    assert not re.search(r"\b(let|const|class|async|await|yield)\b|=>|`", text)
    assert not re.search(r"\bJSON\b|\.(forEach|map|filter|indexOf\(.*Array|trim|bind|keys)\(", text)
    assert not re.search(r"\.(StdOut|StdIn|Popup)\b|\bEnumerator\b", text)
    assert name == "watchdog" or not re.search(r"\.Exec\b", text), "no tool has a pipe for output"
    assert not re.search(rf"\.({'|'.join(RESERVED)})\b", text), "a reserved word as a property"
    assert not re.search(rf"[{{,]\s*({'|'.join(RESERVED)})\s*:", text), "a reserved word as a name"
    assert not re.search(r"\b(get|set)\s+\w+\s*\(", text)


@pytest.mark.parametrize("name", NAMES)
def test_parts_are_written_so_that_squeezing_is_safe(name: str) -> None:
    text = source(name)
    assert text.isascii()
    assert not re.search(r"[-+] +[-+]", code(name))
    assert not re.search(r"\S.*//(?!\S*[\"'/])", re.sub(r"\"[^\"]*\"", "", code(name)))
    assert "*/" not in squeeze(text)


@pytest.mark.parametrize("name", NAMES)
def test_no_question_is_wider_than_its_purpose(name: str) -> None:
    text = source(name)
    assert "SELECT *" not in text
    assert "OfflineInstallationId" not in text
    assert "OA3x" not in text
    assert "UninstallProductKey" not in text


@pytest.mark.parametrize("name", NAMES)
def test_parts_stay_small(name: str) -> None:
    text = source(name)
    assert text.startswith("/*\n"), "no header that says what lives here"
    assert text.count("\n") <= 300
    longest = max(body.count("\n") for body in re.split(r"^}.*$", text, flags=re.MULTILINE))
    assert longest <= 50
