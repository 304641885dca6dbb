"""Every verb and every option is in docs/cli.md, and nothing that does not exist is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from volact.cli.registry import VERBS as TABLE
from volact.cli.registry import command_of
from volact.core.consent import ASKING_STEPS
from volact.report.make import FILE_FORMATS

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "cli.md").read_text("utf-8")


def verbs() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for verb in TABLE:
        for part in verb.parts or (verb,):
            name = verb.name if part is verb else f"{verb.name} {part.name}"
            found[name] = command_of(part)
    return found


def options(command: Any) -> set[str]:
    return {word for item in command.params for word in item.opts if word.startswith("-")}


VERBS = verbs()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_option_is_documented(verb: str) -> None:
    assert f"volact {verb}" in DOCS
    missing = {word for word in options(VERBS[verb]) if f"`{word}" not in DOCS}
    assert not missing


def test_the_table_of_verbs_is_whole() -> None:
    rows = re.findall(r"^\| \[`([a-z-]+)`\]\(#\1\) \|", DOCS, re.MULTILINE)
    assert sorted(rows) == sorted({verb.partition(" ")[0] for verb in VERBS})


# What several verbs take is documented once, above them.
_SHARING = ("check", "plan", "activate", "undo", "bundle", "watch", "inventory")
SHARED = DOCS.partition("## Options of check")[2].partition("\n## ")[0]


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_documented_where_its_verb_is(verb: str) -> None:
    name = verb.split(maxsplit=1)[0]
    section = DOCS.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    told = section + (SHARED if name in _SHARING else "`--lang")
    assert not {word for word in options(VERBS[verb]) if f"`{word}" not in told}


@pytest.mark.parametrize("verb", VERBS)
def test_no_help_names_an_option_that_its_verb_has_not(verb: str) -> None:
    """--service of status spoke of "its inventory of -i"."""
    command = VERBS[verb]
    said = " ".join(str(getattr(item, "help", None) or "") for item in command.params)
    words = re.findall(r"(?<![\w-])--?[a-z][\w-]*", said)
    assert not set(words) - options(command) - _OF_OTHERS


# In the help of watch: "as activate --yes does".
_OF_OTHERS = {"--yes"}


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_report_names_every_format(verb: str) -> None:
    for item in VERBS[verb].params:
        if "--report" in item.opts:
            assert not [name for name in FILE_FORMATS if f"{name}=" not in item.help]


def test_the_help_of_endpoints_names_no_servers_facts() -> None:
    """It asks no server: without --provider nothing is determined."""
    (provider,) = [item for item in VERBS["endpoints"].params if item.name == "provider"]
    assert "facts" not in provider.help
    assert provider.metavar == "NAME"


def test_the_steps_that_need_consent_are_listed_where_consent_is_given() -> None:
    row = next(line for line in DOCS.splitlines() if line.startswith("| `--allow STEP`"))
    missing = [word for word in ASKING_STEPS if f"`{word}`" not in row]
    assert not missing, "the row of --allow in docs/cli.md names them"


def test_nothing_is_documented_that_does_not_exist() -> None:
    real = set().union(*(options(command) for command in VERBS.values()))
    real |= {"--version", "--help", "--install-completion", "--show-completion"}
    assert set(re.findall(r"--[a-z][a-z-]+", DOCS)) <= real


@pytest.mark.parametrize("verb", VERBS)
def test_help_is_one_sentence_per_option(verb: str) -> None:
    for item in VERBS[verb].params:
        assert getattr(item, "help", None), f"{verb} {item.name} has no help"


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", DOCS):
        assert (ROOT / "docs" / target).exists(), target
    headings = {line[3:].strip().lower() for line in DOCS.splitlines() if line.startswith("## ")}
    for anchor in re.findall(r"\]\(#([^)]+)\)", DOCS):
        assert anchor in headings


def test_the_readme_names_real_options_and_files() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    real = set().union(*(options(command) for command in VERBS.values()))
    assert set(re.findall(r"--[a-z][a-z-]+", text)) <= real
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert (ROOT / target).exists(), target
    for verb in re.findall(r"\$ volact ([a-z]+)", text):
        assert verb in {name.split()[0] for name in VERBS}
