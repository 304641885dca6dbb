"""The channels that ``--notify`` and the service name, and a message over all of them.

``webhook`` and ``apprise_channel`` are the two kinds of channels.  A URL may hold a
secret: it is never shown, logged or stored; its scheme is, and the host of a webhook.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from volact.errors import InputError, NotifyError
from volact.model.text import Text, say
from volact.notify.apprise_channel import AppriseChannel
from volact.notify.webhook import Webhook
from volact.report.message import Message

_ENV = "env:"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=://)")


class Channel(Protocol):
    """One destination of messages."""

    name: str  # without secrets

    def send(self, message: Message) -> None:
        """Send a message; ``NotifyError`` if that fails."""


def open_channels(words: Sequence[str], env: Mapping[str, str] = os.environ) -> tuple[Channel, ...]:
    """The channels that ``--notify`` names; ``InputError`` for a word that is none."""
    return tuple(_channel(word, env) for word in words)


def shown(word: str) -> str:
    """The word of ``--notify`` without secrets."""
    if word.startswith(_ENV):
        return word
    scheme = _SCHEME.match(word)
    return f"{scheme[0].lower()}://…" if scheme else "…"


def _channel(word: str, env: Mapping[str, str]) -> Channel:
    url = word
    if word.startswith(_ENV):
        variable = word.removeprefix(_ENV)
        url = env.get(variable, "").strip()
        if not url:
            raise InputError(
                say(
                    "--notify {word}: the environment has no such variable, or it is empty",
                    word=word,
                ),
                (
                    say("set {variable} to a URL", variable=variable)
                    if variable
                    else say("name a variable")
                ),
            )
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise InputError(
            say("--notify {word}: not a URL", word=shown(word)),
            say("write https://… for a webhook, an apprise URL (slack://…), or env:VARIABLE"),
        )
    if scheme[0].lower() in ("http", "https"):
        return Webhook(url)

    return AppriseChannel(url, scheme[0].lower())


def send_to_all(
    channels: Sequence[Channel], message: Message, on_failure: Callable[[Text], None]
) -> bool:
    """Send to every channel; whether all succeeded.  A failed one does not stop the others."""
    whole = True
    for channel in channels:
        try:
            channel.send(message)
        except NotifyError as error:
            whole = False
            why = error.message
            on_failure(say("--notify {name}: not sent: {why}", name=channel.name, why=why))
    return whole
