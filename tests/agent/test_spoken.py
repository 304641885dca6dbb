"""The handed-out file's words in other languages: what is sent along, and when it is used."""

from __future__ import annotations

import json
import re

import pytest
from script import Script, source

from volact.agent.render import HANDED_BYTES, render
from volact.agent.request import Request, new_request
from volact.agent.spoken import said_in
from volact.core.standalone import standalone_steps
from volact.knowledge.load import knowledge_for, profile_names
from volact.words import LANGUAGES

_PARTS = ("host", "registry", "talk")


def handed(provider: str, language: str) -> str:
    knowledge = knowledge_for(provider)
    asked = new_request("standalone", knowledge.profile, standalone_steps(knowledge), id="0" * 16)
    return render(asked, keep=True, handed=True, language=language).decode("ascii")


def words(text: str) -> dict[str, str]:
    line = re.search(r"var WORDS = (\{.*\}),\s*PAGES = ", text, re.DOTALL)
    assert line is not None
    found = json.loads(line[1])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("provider", profile_names())
def test_every_file_is_ascii_and_not_too_large(provider: str, language: str) -> None:
    assert len(handed(provider, language)) <= HANDED_BYTES


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_everything_the_script_says_is_sent_along(language: str) -> None:
    sent = words(handed("tencent", language))
    said = {
        text for part in ("kms_in_use", "talk", "person", "steps") for text in said_in(source(part))
    }
    assert len(said) > 60
    same = {text for text in said if text not in sent}
    assert same <= {"status {n}"}  # spelt alike in Indonesian
    assert any(text.startswith("The KMS host answered") for text in sent)


def test_a_note_for_several_results_is_a_sentence_too() -> None:
    assert "it takes effect when the server is restarted" in said_in(source("start_mode"))


def test_english_sends_no_words_and_the_other_modes_know_none() -> None:
    assert words(handed("tencent", "en")) == {}
    assert b"WORDS" not in render(Request(id="0" * 16, mode="probe"), language="id")


def test_the_batch_part_speaks_what_ascii_can() -> None:
    assert "echo DITOLAK: Windows Script Host dinonaktifkan" in handed("tencent", "id")
    assert "echo REFUSED: Windows Script Host is disabled" in handed("tencent", "zh-CN")


def talking(table: dict[str, str], pages: list[str], page: str, console: str = "%cp%") -> Script:
    """The script's talk, on a server with a code page; ``console``: what chcp.com says."""
    script = Script(*_PARTS)
    script.text(f"WORDS = {json.dumps(table)}; PAGES = {json.dumps(pages)}; ''")
    script.text(f"regText = function () {{ return {json.dumps(page)}; }}; ''")
    script.text(f"expanded = function () {{ return {json.dumps(console)}; }}; chooseWords(); ''")
    script.text("var echoed = ''; WScript.Echo = function (text) { echoed = text; }; ''")
    return script


@pytest.mark.parametrize(("page", "said"), [("936", "\u672a\u6fc0\u6d3b 5"), ("437", "no 5")])
def test_a_console_that_cannot_show_it_gets_english(page: str, said: str) -> None:
    script = talking({"no {n}": "\u672a\u6fc0\u6d3b {n}"}, ["936", "65001"], page)
    assert script.text('say(t("no {n}", {n: 5})); echoed') == said


@pytest.mark.parametrize(
    ("console", "said"),
    [
        ("\u6d3b\u52a8\u4ee3\u7801\u9875: 936", "\u672a\u6fc0\u6d3b 5"),
        ("Aktive Codepage: 65001.", "\u672a\u6fc0\u6d3b 5"),
        ("Active code page: 437", "no 5"),
    ],
)
def test_the_code_page_of_the_console_counts_not_the_systems(console: str, said: str) -> None:
    script = talking({"no {n}": "\u672a\u6fc0\u6d3b {n}"}, ["936", "65001"], "936", console)
    assert script.text('say(t("no {n}", {n: 5})); echoed') == said


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("provider", profile_names())
def test_no_line_is_longer_than_what_findstr_copies(provider: str, language: str) -> None:
    """WinRM brings a file through findstr, which cuts lines at 8,191 characters."""
    text = handed(provider, language)
    assert max(map(len, text.split("\r\n"))) < 8191
    request = re.search(r"var REQUEST = (\{.*?\});\r\n", text, re.DOTALL)
    assert request is not None
    assert json.loads(request[1])["mode"] == "standalone"


def test_plain_letters_need_no_code_page() -> None:
    script = talking({"no {n}": "tidak {n}"}, [], "437")
    assert script.text('say(t("no {n}", {n: "$& {n} \\u00e9"})); echoed') == "tidak $& {n} ?"


def test_control_characters_never_reach_the_console() -> None:
    script = talking({}, ["936"], "936")
    assert script.text('say("a\\u001b[2Jb\\u4e2d"); echoed') == "a?[2Jb\u4e2d"


def test_columns_align_for_ideographs_too() -> None:
    script = Script(*_PARTS)
    assert script.text('pad("Clock")') == "  Clock       "
    assert script.text('pad("\\u65f6\\u949f")') == "  \u65f6\u949f        "
