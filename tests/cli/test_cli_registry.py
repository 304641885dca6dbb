"""The table of verbs agrees with each module, and nothing is loaded before it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

from volact.cli.registry import VERBS, VerbEntry, command_of, options_of, work_of

FOLDER = Path(__file__).parents[2] / "src" / "volact" / "cli" / "verbs"
ALL = [part for verb in VERBS for part in verb.parts or (verb,)]
PREFIX = "volact.cli.verbs."
# Runs a command line, then names what it loaded as the last line of standard error.
CODE = (
    "import sys\n"
    "from volact.cli.entry import main\n"
    "try:\n"
    "    main(sys.argv[1:])\n"
    "finally:\n"
    "    sys.stderr.write('\\n' + ' '.join(sys.modules))\n"
)


def loaded(*args: str, **env: str) -> tuple[set[str], str]:
    """The modules that a command line loads, and what it writes."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *args],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, **env},
        check=False,
    )
    return set(done.stderr.splitlines()[-1].split()), done.stdout


def verbs_of(modules: set[str]) -> set[str]:
    return {name.removeprefix(PREFIX) for name in modules if name.startswith(PREFIX)}


def test_the_table_has_every_module_and_no_other() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert {verb.function.partition(".")[0] for verb in ALL} == modules
    assert len({verb.name for verb in VERBS}) == len(VERBS)


@pytest.mark.parametrize("verb", ALL, ids=lambda verb: verb.function)
def test_the_table_says_what_the_modules_say(verb: VerbEntry) -> None:
    options = options_of(verb)
    assert verb.summary == " ".join(str(options.__doc__).partition("\n\n")[0].split())
    taken = {name: hint for name, hint in get_type_hints(work_of(verb)).items() if name != "return"}
    assert taken == {"options": options}


def test_help_and_the_names_of_verbs_load_no_verb() -> None:
    modules, text = loaded("--help")
    assert verbs_of(modules) == set()
    assert all(f"\n  {verb.name} " in text for verb in VERBS)
    words = {"COMP_WORDS": "volact e", "COMP_CWORD": "1"}
    modules, text = loaded(_VOLACT_COMPLETE="complete_bash", **words)
    assert verbs_of(modules) == set()
    assert text.split() == ["endpoints", "explain", "expiring", "export"]


def test_a_verb_loads_itself_alone() -> None:
    modules, text = loaded("explain", "0xC004F074")
    assert verbs_of(modules) == {"explain"}
    assert "0xC004F074" in text
    assert not {"asyncio", "asyncssh", "jinja2", "rich", "sqlalchemy"} & modules


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("volact explain --cl", "--class"),
        ("volact providers tence", "tencent"),
        ("volact inventory ex", "export"),
        ("volact lab serve --read", "--ready-file"),
    ],
)
def test_completion_and_help_load_no_verb(words: str, found: str) -> None:
    at = str(len(words.split()) - 1)
    modules, text = loaded(_VOLACT_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=at)
    assert found in text.split()
    assert verbs_of(modules) == set()
    assert verbs_of(loaded(words.split()[1], "--help")[0]) == set()


def test_a_typo_names_the_verb_that_is_meant() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "volact", "chek"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.stderr.startswith("volact: no such command 'chek', did you mean 'check'")


def lines_of_help(*group: str) -> str:
    return loaded(*group, "--help", COLUMNS="80", TERMINAL_WIDTH="80")[1]


@pytest.mark.parametrize("group", [(), ("inventory",), ("lab",)], ids=str)
def test_summaries_fit_eighty_columns_whole(group: tuple[str, ...]) -> None:
    text = lines_of_help(*group)
    assert max(map(len, text.splitlines())) <= 80
    verbs = next((verb.parts for verb in VERBS if verb.name in group), VERBS)
    for verb in verbs:
        assert f" {verb.summary}\n" in text


def test_output_is_a_format_in_every_verb() -> None:
    """The former names of --to are not shown."""
    for verb in ALL:
        for item in command_of(verb).params:
            if "-o" in item.opts:
                assert "--output" in item.opts
                former = verb.name in ("script", "bundle") and getattr(item, "hidden", False)
                assert former or getattr(item, "help", "").startswith("Output format")
            else:
                assert "--output" not in item.opts
