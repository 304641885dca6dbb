"""The structure of the code in numbers, for revisions side by side.

    python bench/structure.py [--names] [REVISION ...]     (``.`` is the working tree)

Prints a Markdown table, and with ``--names`` the files behind the last column's
counts.  What is counted:

- files and lines of Python in ``src/volact`` without the lab, in the lab, in the tests;
  lines of code are those without docstrings, comments and blank lines;
- lines of files and of functions: median, 90th percentile, longest (product);
- imports inside functions (product, lab);
- circles: groups of modules that lead back to themselves by imports of any kind, as
  the number of groups and of the modules in them (product and lab);
- files that name the step ``add-dns`` outside ``core/steps`` and ``agent/source``, and
  the finding ``kms-host-wrong`` outside ``core/findings``;
- files that name Tencent or TAT outside the folders of that name and its profile;
  catalogues of sentences are not counted in either;
- thin modules: fewer than 70 lines and imported by one other module alone (product);
- the walk of the facts: see ``facts_walk.py``.
"""

from __future__ import annotations

import argparse
import ast
import gc
import json
import os
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from io import BytesIO, StringIO
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BEFORE = "cc913f7"
_THIN = 70
_TEXT = {".py", ".js", ".bat", ".toml", ".html", ".css", ".ini", ".mako"}
_STEP = re.compile(r"\badd-dns\b")
_FINDING = re.compile(r"\bkms-host-wrong\b")
_CLOUD = re.compile(r"tencent|(?<![a-z])tat(?![a-z])", re.IGNORECASE)
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Graph = dict[str, set[str]]


@contextmanager
def tree(revision: str) -> Iterator[Path]:
    """The files of a revision, in a folder that goes away again."""
    if revision == ".":
        yield ROOT
        return
    packed = subprocess.run(
        ["git", "archive", "--format=tar", revision], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=BytesIO(packed)) as files:
        files.extractall(folder, filter="data")
        yield Path(folder)


class Code:
    """The Python files of a part of the sources, by the names of their modules."""

    def __init__(self, sources: Path, paths: Iterable[Path]) -> None:
        self.paths = {_module(path.relative_to(sources)): path for path in paths}
        self.texts = {name: path.read_text("utf-8") for name, path in self.paths.items()}
        self.trees = {name: ast.parse(text) for name, text in self.texts.items()}

    @property
    def lines(self) -> list[int]:
        """The lines of every file."""
        return [text.count("\n") for text in self.texts.values()]

    @property
    def code_lines(self) -> int:
        """Lines that are neither empty nor a comment nor a docstring."""
        return sum(
            len(_lines_of_code(text) - _lines_of_docstrings(self.trees[name]))
            for name, text in self.texts.items()
        )

    @property
    def functions(self) -> list[int]:
        """The lines of every function, without its decorators."""
        return [
            (node.end_lineno or node.lineno) - node.lineno + 1
            for found in self.trees.values()
            for node in _statements(found)
            if isinstance(node, _FUNCTIONS)
        ]

    @property
    def late_imports(self) -> int:
        """Imports that stand in functions."""
        return sum(
            len(
                {
                    inner
                    for node in _statements(found)
                    if isinstance(node, _FUNCTIONS)
                    for inner in _statements(node)
                    if isinstance(inner, ast.Import | ast.ImportFrom)
                }
            )
            for found in self.trees.values()
        )

    @cached_property
    def graph(self) -> Graph:
        """Which modules each imports, anywhere in it."""
        return {
            name: set(_imported(found, self.trees)) - {name} for name, found in self.trees.items()
        }

    def thin(self) -> list[str]:
        """Short modules that one other alone imports."""
        users = Counter(target for targets in self.graph.values() for target in targets)
        return [
            name
            for name, path in self.paths.items()
            if path.name != "__init__.py"
            and self.texts[name].count("\n") < _THIN
            and users[name] == 1
        ]


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all statements in it: expressions, which are most nodes, hold none."""
    yield node
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _statements(inner)


def _lines_of_code(text: str) -> set[int]:
    return {
        line
        for token in tokenize.generate_tokens(StringIO(text).readline)
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }


def _lines_of_docstrings(found: ast.Module) -> set[int]:
    return {
        line
        for node in _statements(found)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.get_docstring(node, clean=False) is not None
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(found: ast.Module, known: dict[str, ast.Module]) -> Iterator[str]:
    for node in _statements(found):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                name = inner if inner in known else node.module
                if name in known:
                    yield name


def circles(graph: Graph) -> list[set[str]]:
    """Groups of modules each of which leads to all others of its group."""
    ahead = {name: _reached(graph, name) for name in graph}
    left, found = set(graph), []
    while left:
        name = left.pop()
        group = {other for other in ahead[name] if name in ahead.get(other, ())} | {name}
        left -= group
        if len(group) > 1:
            found.append(group)
    return found


def _reached(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in graph.get(waiting.pop(), ()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen


def naming(source: Path, what: re.Pattern[str], *rooms: str) -> list[str]:
    """Files of the product that name something outside its rooms."""
    return [
        short
        for path in sorted(source.rglob("*"))
        if path.suffix in _TEXT
        and not (short := path.relative_to(source).as_posix()).startswith((*rooms, "lab/"))
        and what.search(path.read_text("utf-8", "replace"))
    ]


def walk_of_facts(root: Path) -> dict[str, dict[str, int]]:
    """What ``facts_walk.py`` reports of a tree."""
    places = os.pathsep.join(str(root / place) for place in ("src", "tests/core"))
    done = subprocess.run(
        [sys.executable, str(HERE / "facts_walk.py")],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": places, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=root,
    )
    found: dict[str, dict[str, int]] = json.loads(done.stdout)
    return found


class Parts:
    """The sources of a tree: product, lab, tests."""

    def __init__(self, root: Path) -> None:
        sources, self.source = root / "src", root / "src" / "volact"
        inside = self.source / "lab"  # where the lab was before it was a package of its own
        of_product = (path for path in self.source.rglob("*.py") if inside not in path.parents)
        self.product = Code(sources, of_product)
        self.lab = Code(sources, [*(sources / "volact_lab").rglob("*.py"), *inside.rglob("*.py")])
        self.tests = Code(root, (root / "tests").rglob("*.py"))

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """Files of the product that are counted one by one, by what they are counted for."""
        step, cloud = ("core/steps/", "agent/source/"), ("cloud/tencent/", "transports/tat/")
        profile = "knowledge/providers/tencent.toml"
        return {
            "files that name `add-dns` elsewhere": naming(self.source, _STEP, *step),
            "files that name `kms-host-wrong` elsewhere": naming(
                self.source, _FINDING, "core/findings/"
            ),
            "files that name Tencent or TAT elsewhere": naming(
                self.source, _CLOUD, *cloud, profile
            ),
            f"modules under {_THIN} lines with one importer": self.product.thin(),
        }

    def numbers(self) -> dict[str, str]:
        """What can be counted in the files, by what it counts."""
        product, lab = self.product, self.lab
        sizes = {
            f"{name}: {what}": f"{number:,}"
            for name, code in (("product", product), ("lab", lab), ("tests", self.tests))
            for what, number in (
                ("files", len(code.lines)),
                ("lines", sum(code.lines)),
                ("lines of code", code.code_lines),
            )
        }
        return {
            **sizes,
            "lines of a file: median, 90 %, longest": _spread(product.lines),
            "functions": f"{len(product.functions):,}",
            "lines of a function: median, 90 %, longest": _spread(product.functions),
            "imports inside functions: product, lab": f"{product.late_imports}, {lab.late_imports}",
            "circles of imports: product, lab": f"{_circles(product)}, {_circles(lab)}",
            **{name: str(len(files)) for name, files in self.names.items()},
        }


def numbers(root: Path, parts: Parts) -> dict[str, str]:
    """Every number of a tree, by what it counts."""
    walk = walk_of_facts(root)
    return {
        **parts.numbers(),
        "facts to plan: stays, returns (modules)": _walk(walk["whole"]),
        "planner alone: stays, returns (modules)": _walk(walk["plan"]),
    }


def _spread(values: list[int]) -> str:
    ninth = statistics.quantiles(values, n=10, method="inclusive")[8]
    return f"{statistics.median(values):g}, {ninth:.0f}, {max(values)}"


def _circles(code: Code) -> str:
    found = circles(code.graph)
    return (
        f"{len(found)} of {'+'.join(map(str, sorted(map(len, found), reverse=True)))}"
        if found
        else "none"
    )


def _walk(counts: dict[str, int]) -> str:
    return f"{counts['stays']}, {counts['returns']} ({counts['modules']})"


def table(found: dict[str, dict[str, str]]) -> str:
    """The numbers of several revisions as Markdown."""
    revisions = list(found)
    lines = [f"| | {' | '.join(revisions)} |", "|---|" + "---|" * len(revisions)]
    for name in found[revisions[0]]:
        lines.append(f"| {name} | {' | '.join(found[one][name] for one in revisions)} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("revisions", nargs="*", default=[BEFORE, "."])
    parser.add_argument("--names", action="store_true", help="name the files of the last one")
    asked = parser.parse_args()
    gc.disable()  # the trees of the sources stay
    found, names = {}, {}
    for revision in asked.revisions:
        with tree(revision) as root:
            parts = Parts(root)
            found["now" if revision == "." else revision] = numbers(root, parts)
            names = parts.names if asked.names else {}
    print(table(found))
    for title, files in names.items():
        print(f"\n{title}:", *files, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
