"""Makes the documentation as a site that loads nothing from elsewhere: ``make docs``.

The pages are the Markdown that is there; what is added is generated: the help of every verb,
and links that lead within the site.  ``site/`` has the settings.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from volact.cli.entry import main as volact
from volact.cli.registry import VERBS

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ROOT / "release" / "site"
# Pages that lie beside ``docs/``, by their place in the site.
BESIDE = {
    "README.md": "index.md",
    "bench/README.md": "bench.md",
    **{
        name: name for name in ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
    },
}
_LINK = re.compile(r"(?<=\]\()(?!https?:|#|mailto:)([^)#\s]+)")
_SHIM = re.compile(r'src="https://unpkg\.com/iframe-worker/shim"')


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "dist-site", help="is made anew")
    to = parser.parse_args().to.resolve()
    with tempfile.TemporaryDirectory(prefix="volact-site-") as work:
        built = build(Path(work))
        if to.exists():
            shutil.rmtree(to)
        shutil.copytree(built, to)
    print(f"the site is in {to}: open {to / 'index.html'}")  # noqa: T201 - a command's output


def build(work: Path) -> Path:
    """The folder of the site, in a folder for it."""
    write_pages(work / "pages")
    shutil.copy(SETTINGS / "zensical.toml", work)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(command, cwd=work, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"zensical: {done.stdout}{done.stderr}")
    site = work / "site"
    shutil.copy(SETTINGS / "worker.js", site / "assets")
    for page in site.rglob("*.html"):
        up = "../" * (len(page.relative_to(site).parts) - 1)
        text = page.read_text("utf-8")
        page.write_text(_SHIM.sub(f'src="{up}assets/worker.js"', text), "utf-8")
    return site


def write_pages(pages: Path) -> None:
    """Every page of the site as Markdown."""
    shutil.copytree(ROOT / "docs", pages)
    shutil.copy(SETTINGS / "site.css", pages)
    for source, name in BESIDE.items():
        (pages / name).write_text(
            _within(ROOT / source, (ROOT / source).read_text("utf-8"), name), "utf-8"
        )
    for page in (ROOT / "docs").rglob("*.md"):
        name = str(page.relative_to(ROOT / "docs"))
        (pages / name).write_text(_within(page, page.read_text("utf-8"), name), "utf-8")
    (pages / "help.md").write_text("\n".join(_help()), "utf-8")


def _within(source: Path, text: str, name: str) -> str:
    """The text with links that lead within the site, or to the file's name where none does."""
    up = "../" * name.count("/")

    def place(match: re.Match[str]) -> str:
        target = (source.parent / match[1]).resolve()
        if target == ROOT / "docs" / "findings":
            return f"{up}findings/README.md"
        if target.is_relative_to(ROOT / "docs"):
            return f"{up}{target.relative_to(ROOT / 'docs')}"
        beside = BESIDE.get(str(target.relative_to(ROOT)))
        return f"{up}{beside}" if beside else match[1]

    return re.sub(r"\[([^\]]*)\]\((?:LICENSE)\)", r"\1", _LINK.sub(place, text))


def _help() -> Iterator[str]:
    """The help of every verb, as it is printed."""
    yield "# Help of every verb\n\nAs `--help` prints it.\n"
    for verb in VERBS:
        for words in [[verb.name]] + [[verb.name, part.name] for part in verb.parts]:
            yield f"## {' '.join(words)}\n\n```text\n{help_of(words)}```\n"


def help_of(words: list[str]) -> str:
    """What ``volact WORDS --help`` prints in English on 80 columns."""
    same_everywhere = {"COLUMNS": "80", "VOLACT_LANG": "en"}
    with patch.dict(os.environ, same_everywhere), redirect_stdout(StringIO()) as printed:
        volact([*words, "--help"])
    return printed.getvalue()


if __name__ == "__main__":
    main()
