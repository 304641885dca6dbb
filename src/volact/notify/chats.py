"""What the webhooks of chats take instead of volact's own document.  Pure.

A chat is known by the host of its URL.  Others, such as Mattermost, Rocket.Chat or a program
of one's own, are sent the document itself, which has ``text``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from volact.report.message import Message

_DISCORD_MOST = 2000  # characters of ``content``
_GOOGLE_MOST = 4000
_SLACK_MOST = 40_000
_CARD_LINES = 200  # of 28 KB that a card may have


def body_for(host: str, path: str, message: Message) -> dict[str, Any]:
    """The JSON for a webhook at a host.

    Example: ``body_for("hooks.slack.com", "/services/x", message)`` is ``{"text": …}``.
    """
    make = _maker(host.lower(), path)
    return message.data if make is None else make(message)


def _maker(host: str, path: str) -> Callable[[Message], dict[str, Any]] | None:
    if host.endswith((".logic.azure.com", ".api.powerplatform.com")):
        return _teams
    if host in ("discord.com", "discordapp.com") and path.startswith("/api/webhooks/"):
        return _discord
    if host == "chat.googleapis.com":
        return lambda message: {"text": cut(_text(message), _GOOGLE_MOST)}
    if host == "hooks.slack.com":
        return lambda message: {"text": cut(_text(message), _SLACK_MOST)}
    return None


def _teams(message: Message) -> dict[str, Any]:
    """An Adaptive Card for a workflow of Teams, beside the document for any other workflow.

    A workflow of Teams answers 202 to anything, and posts only what is in ``attachments``
    (learn.microsoft.com, "Create incoming webhooks with Workflows for Microsoft Teams").
    """
    title = {"type": "TextBlock", "text": message.title, "weight": "Bolder", "wrap": True}
    lines = [
        {"type": "TextBlock", "text": line, "wrap": True, "spacing": "Small"}
        for line in message.text.split("\n")[:_CARD_LINES]
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [title, *lines],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    attachment = {"contentType": kind, "contentUrl": None, "content": card}
    return {**message.data, "type": "message", "attachments": [attachment]}


def _discord(message: Message) -> dict[str, Any]:
    content = cut(_text(message), _DISCORD_MOST)
    return {"content": content, "allowed_mentions": {"parse": []}}


def _text(message: Message) -> str:
    return str(message.data["text"])


def cut(text: str, most: int) -> str:
    """At most so many characters, of whole lines where there are several."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    return f"{kept[: kept.rfind(chr(10)) + 1] or kept}…"
