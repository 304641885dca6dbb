"""The bodies that chats take, by the host of their webhooks."""

from __future__ import annotations

import json

import pytest

from volact.notify.chats import body_for, cut
from volact.report.message import Message, harmless

LINES = [f"- web-{number:03}: unreachable before, attention now" for number in range(200)]
TEXT = "\n".join(LINES)
MESSAGE = Message(
    title="volact check: 3 of 200 healthy",
    text=TEXT,
    data={"title": "volact check: 3 of 200 healthy", "text": f"volact check\n{TEXT}", "run": "a"},
)


@pytest.mark.parametrize(
    "host", ["prod-1.westeurope.logic.azure.com", "default1.ab.environment.API.powerplatform.com"]
)
def test_a_workflow_of_teams_gets_a_card_beside_the_document(host: str) -> None:
    body = body_for(host, "/workflows/x", MESSAGE)
    assert body["run"] == "a"
    (attachment,) = body["attachments"]
    title, first, *_ = attachment["content"]["body"]
    assert (title["text"], first["text"]) == (MESSAGE.title, LINES[0])
    assert len(json.dumps(attachment)) < 28 * 1024


def test_discord_gets_a_text_that_mentions_no_user() -> None:
    body = body_for("discord.com", "/api/webhooks/1/x", MESSAGE)
    assert set(body) == {"content", "allowed_mentions"}
    assert body["allowed_mentions"] == {"parse": []}
    assert len(body["content"]) <= 2000
    assert body["content"].endswith("attention now\n…")


@pytest.mark.parametrize("host", ["hooks.slack.com", "chat.googleapis.com"])
def test_chats_that_refuse_unknown_fields_get_the_text_alone(host: str) -> None:
    assert list(body_for(host, "/services/x", MESSAGE)) == ["text"]


@pytest.mark.parametrize("host", ["mattermost.corp", "logic.azure.com.evil", "discord.com"])
def test_others_get_the_document(host: str) -> None:
    assert body_for(host, "/hooks/x", MESSAGE) is MESSAGE.data


def test_one_long_line_is_cut_within() -> None:
    assert cut("x" * 10, 5) == "xxxx…"
    assert cut("x" * 5, 5) == "x" * 5


def test_no_text_is_a_link() -> None:
    said = harmless("see HTTPS://evil.example/a and ssh://10.0.0.5")
    assert said == "see HTTPS: //evil.example/a and ssh://10.0.0.5"
