"""The repository keeps its own rules: sizes, docstrings, and what it may name."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TEXT = [
    path
    for folder in ("src", "tests", "docs", "bench", "examples")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".js", ".bat", ".toml", ".md", ".html", ".css", ".txt"}
    and path != Path(__file__).resolve()
]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
REGISTRY = re.compile(r"https?://\S*(/simple/|/pool/main/|/packages/\S+\.whl|/-/\S+\.tgz)")


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def complaints(path: Path) -> Iterator[str]:
    """A file that is too long to read in one sitting has more than one job."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    said = ast.get_docstring(tree) or ""
    if not said or "Placeholder" in said:
        yield "no module docstring"
    if text.count("\n") > MAX_FILE_LINES:
        yield f"{text.count(chr(10))} lines"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{node.name} has {lines} lines"


def test_every_module_says_what_lives_in_it_and_stays_small() -> None:
    found = {short(path): list(complaints(path)) for path in SOURCES}
    assert len(found) > 300
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_what_is_complained_of_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "long.py"
    path.write_text("def f():\n" + "    1\n" * MAX_FILE_LINES)
    assert list(complaints(path)) == ["no module docstring", "401 lines", "f has 401 lines"]


def test_nothing_is_left_unfinished_and_no_registry_is_named() -> None:
    """No "later" in the tree, and nothing that ties it to one package registry."""
    found = [
        f"{short(path)}: {match[0]}"
        for path in TEXT
        for pattern in (UNFINISHED, REGISTRY)
        for match in pattern.finditer(path.read_text("utf-8"))
    ]
    assert len(TEXT) > 500
    assert found == []


def test_no_database_is_in_the_tree() -> None:
    """A volact that is tried in this folder leaves a store, which is not the project's."""
    listed = subprocess.check_output(["git", "ls-files", "*.db", "*.sqlite*"], cwd=ROOT, text=True)
    assert listed.split() == []


def test_every_dependency_is_pinned() -> None:
    """What CI installs is what was tested."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {
        re.split(r"[<>=\[; ]", line)[0].lower()
        for lines in (project["dependencies"], *project["optional-dependencies"].values())
        for line in lines
    } - {"volact"}
    pinned = {
        line.split("==")[0].lower()
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    assert wanted <= pinned


def test_every_pin_is_for_every_python_that_volact_is_for() -> None:
    """One for a later 3.11 than Debian's would end ``make demo`` there before it begins."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = project["requires-python"].removeprefix(">=") + ".0"
    # In the words of the archive itself: a backport that a library loads has other objects here.
    heads = (item.read_text("METADATA") or "" for item in distributions())
    asked = {
        name[1]: versions[1]
        for head in heads
        if (name := re.search(r"^Name: (.+)$", head, re.MULTILINE))
        and (versions := re.search(r"^Requires-Python: (.+)$", head, re.MULTILINE))
    }
    assert len(asked) > 100
    assert {
        name: versions
        for name, versions in asked.items()
        if not SpecifierSet(versions).contains(oldest)
    } == {}


def test_the_architecture_names_only_what_exists() -> None:
    """A map with streets that are gone is worse than none."""
    places = (ROOT, ROOT / "src", ROOT / "src" / "volact")
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = {name for name in re.findall(r"`([\w./-]+)`", text) if "/" in name}
    assert len(named) > 20
    missing = [
        name for name in sorted(named) if not any((place / name).exists() for place in places)
    ]
    assert not missing


def test_the_architecture_draws_the_order_of_imports_that_is_held() -> None:
    import tomllib

    told = re.search(r"^ {4}(cli > .+)$", (ROOT / "ARCHITECTURE.md").read_text("utf-8"), re.M)
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    layers = tools["importlinter"]["contracts"][0]["layers"]
    assert told is not None
    drawn = [part.strip("()") for part in told[1].split(" > ")]
    assert drawn == [layer.replace("volact.", "") for layer in layers]


def test_decisions_are_numbered_in_order() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Decisions")[2]
    numbers = [int(number) for number in re.findall(r"^(\d+)\. \*\*", text, re.MULTILINE)]
    assert numbers == [*range(1, len(numbers) + 1)]


def test_the_diffs_of_contributing_name_files_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"^--- (\S+)$", text, re.MULTILINE)
    assert len(named) > 4
    assert not [name for name in named if not (ROOT / name).is_file()]


def test_the_diffs_of_contributing_are_what_the_files_hold() -> None:
    """An example that was left behind teaches what is gone; ``...`` and ``(...)`` abridge."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.findall(r"^--- (\S+)\n((?:\+.*\n)+)", text, re.MULTILINE)
    assert len(found) > 10
    for name, added in found:
        lines = [line[1:] for line in added.splitlines()]
        whole = [line for line in lines if "..." not in line and not line.strip().startswith("(")]
        content = (ROOT / name).read_text(encoding="utf-8")
        if whole == lines:
            assert "\n".join(lines) in content, name
        assert [line for line in whole if line not in content] == [], name


def test_every_threat_names_a_test_that_there_is() -> None:
    page = (ROOT / "docs/threats.md").read_text("utf-8")
    rows = [
        line for line in page.splitlines() if line.startswith("| ") and "what stops it" not in line
    ]
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    for row in rows:
        named = re.findall(r"`(tests/\S+\.py|test_\w+)`", row.rpartition("|")[0].rpartition("|")[2])
        assert named, row
        for name in named:
            there = (ROOT / name).is_file() if "/" in name else f"def {name}(" in code
            assert there, name
