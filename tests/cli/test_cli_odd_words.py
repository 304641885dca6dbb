"""Odd words on a command line: whichever option has one, nothing ends in an error of volact.

Verbs that serve until they are stopped are left out.  The only server is left out of runs, so
that none waits for it.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from cli_run import volact

from volact.cli.registry import VERBS, VerbEntry, command_of

SERVING = {"demo", "lab", "mcp", "serve", "worker"}
ALL = [part for verb in VERBS for part in verb.parts or (verb,) if verb.name not in SERVING]
ODD = (
    "", " ", "a\udce9", "9" * 5000, "\u00b2", "[", "%", "a..b", "x" * 300, "\x01\x1b[2J", "\n",
    "-", "=", ":", ",", "!", "@", "http://[x", "https://x:abc", "1e999", "nan", "-1", "日本", "/",
    "/dev/null", "~no-user/x", "a=b", "a:b", "env:", "*" * 2000, "{0}", "%s", "1/0", "0%", "1:2:3",
)  # fmt: skip
# What each verb needs to get as far as its options, beside the inventory.
NEEDED = {
    "check": ("-i", "fleet.toml"), "plan": ("-i", "fleet.toml"), "bundle": ("-i", "fleet.toml"),
    "activate": ("-i", "fleet.toml", "--yes"), "watch": ("-i", "fleet.toml", "--once"),
    "undo": ("last", "-i", "fleet.toml", "--yes"), "history": ("web",), "diff": ("last", "last"),
    "explain": ("12288",), "prune": ("--older-than", "1d"), "forget": ("web", "--dry-run"),
    "script": ("--provider", "tencent"), "endpoints": ("--timeout", "0.1"), "replay": ("x",),
    "user add": ("ada",), "user link": ("ada",), "user disable": ("ada",),
}  # fmt: skip
INVENTORY = '[[server]]\nname = "web"\naddress = "ssh://a@127.0.0.1:1"\n[skip]\nweb = "closed"\n'


def lines(verb: VerbEntry) -> list[list[str]]:
    """A command line for each option that takes a value, and for odd words alone."""
    needed = [*verb.words.split(), *NEEDED.get(verb.words, ())]
    command: Any = command_of(verb)
    options = [
        each.opts[0]
        for each in command.params
        if each.param_type_name == "option" and not each.is_flag
    ]
    at = ALL.index(verb)  # so that an option of several verbs meets several words
    odd = [ODD[(17 * at + number) % len(ODD)] for number in range(2 * len(options) + 6)]
    named = [[*needed, f"{name}={word}"] for name, word in zip(options * 2, odd, strict=False)]
    begins = [needed] if verb.name == "watch" else [verb.words.split(), needed]
    return [*named, *([*begin, word] for begin in begins for word in odd[-6:])]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "fleet.toml").write_text(INVENTORY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VOLACT_STORE", str(tmp_path / "volact.db"))
    monkeypatch.setenv("VOLACT_TOKEN", "token")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    return tmp_path


@pytest.mark.parametrize("verb", ALL, ids=lambda verb: verb.words)
def test_an_odd_word_is_no_error_of_volact(place: Path, verb: VerbEntry) -> None:
    for line in lines(verb):
        done = volact(*line)
        said = done.stdout + done.stderr
        assert done.returncode in (0, 1, 2, 3, 4), line
        assert "a bug in volact" not in said and "Traceback" not in said, (line, said)
    assert not list(place.glob("volact-error-*"))


def test_every_odd_word_is_tried() -> None:
    tried = " ".join(word for verb in ALL for line in lines(verb) for word in line)
    assert not [word for word in ODD if word not in tried]
