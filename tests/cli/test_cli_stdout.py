"""Standard output that cannot hold every sign, and names that a terminal would obey."""

from __future__ import annotations

import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from cli_run import Done, volact
from store_samples import keep, row

from volact.cli.entry import main

BUNDLE = Path(__file__).parents[1] / "bundles" / "lab-hard.json"
OBEYED = "a\x9b31m\u202eb"


def in_ascii(*args: str) -> Done:
    """Run one command line whose standard output is redirected, as on an ASCII system."""
    out, err = io.TextIOWrapper(io.BytesIO(), "ascii"), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(args)
    out.flush()
    return Done(code, out.buffer.getvalue().decode(), err.getvalue())


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = str(tmp_path / "volact.db")
    for run, name in (("aa11", "web-é"), ("bb22", OBEYED)):
        keep(url, run, row(name))
    return url


@pytest.mark.parametrize(("output", "name"), [("text", "web-\\xe9"), ("json", "web-é")])
def test_a_server_is_forgotten_on_an_ascii_system(url: str, output: str, name: str) -> None:
    done = in_ascii("forget", "web-é", "--yes", "--store", url, "--output", output)
    assert (done.returncode, done.stderr) == (0, "")
    assert name in done.stdout


@pytest.mark.parametrize("output", ["text", "json"])
def test_forget_writes_nothing_that_a_terminal_obeys(url: str, output: str) -> None:
    told = volact("forget", OBEYED, "--dry-run", "--store", url, "--output", output).stdout
    assert not set(told) & {"\x9b", "\u202e"}
    shown = json.loads(told)["servers"] if output == "json" else told
    assert (OBEYED if output == "json" else "a\\x9b31m\\u202eb") in shown


@pytest.mark.parametrize(("output", "name"), [("text", "\\xe9.json"), ("json", "é.json")])
def test_a_bundle_is_judged_again_on_an_ascii_system(
    tmp_path: Path, output: str, name: str
) -> None:
    file = shutil.copy(BUNDLE, tmp_path / "é.json")
    done = in_ascii("replay", str(file), "--output", output)
    assert (done.returncode, done.stderr) == (0, "")
    assert name in done.stdout


def test_a_script_is_written_on_an_ascii_system(tmp_path: Path) -> None:
    file = tmp_path / "é.bat"
    done = in_ascii("script", "--provider", "aws", "--to", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert file.exists() and done.stdout.endswith("\\xe9.bat\n")


@pytest.mark.parametrize("kind", ["--print-systemd", "--print-cron"])
def test_units_are_files_so_they_are_in_utf_8(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "é"
    folder.mkdir()
    monkeypatch.chdir(folder)
    done = in_ascii("watch", "ssh://127.0.0.1:1", kind)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(folder) in done.stdout


def test_a_link_is_written_on_an_ascii_system(tmp_path: Path) -> None:
    file, words = tmp_path / "service.db", ("--public-url", "https://é.example")
    done = in_ascii("user", "add", "root", *words, "--database", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("https://\\xe9.example/sign-in/link?key=")


@pytest.mark.parametrize(("format_", "suffix"), [("toml", "toml"), ("ansible", "yml")])
def test_an_inventory_has_names_that_a_terminal_obeys_as_escapes(
    tmp_path: Path, format_: str, suffix: str
) -> None:
    csv, again = tmp_path / "fleet.csv", tmp_path / f"fleet.{suffix}"
    csv.write_text(f"name,address\n{OBEYED}\U000e0041,ssh://h.example\n", "utf-8")
    text = volact("inventory", "export", "-i", str(csv), "--format", format_).stdout
    assert not set(text) & {"\x9b", "\u202e", "\U000e0041"}
    again.write_text(text, "utf-8")
    shown = volact("inventory", "show", "-i", str(again), "--output", "json").stdout
    assert json.loads(shown)["servers"][0]["name"] == f"{OBEYED}\U000e0041"
