"""``--notify URL``: telling people of a run, once, when it is over.

Here the words are read and every way is tried; ``notify_webhook`` and
``notify_apprise`` are the two ways.  A URL may hold a secret: it is never
shown, logged or stored, only its scheme and, of a webhook, its host.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from volact.cli.failure import tell
from volact.cli.notify_apprise import AppriseChannel
from volact.cli.notify_webhook import Webhook
from volact.errors import InputError, NotifyError
from volact.model.text import say
from volact.report.message import Message

_ENV = "env:"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=://)")


class Channel(Protocol):
    """One way to tell people."""

    name: str  # as it may be shown

    def send(self, message: Message) -> None:
        """Tell them; ``NotifyError`` when that did not work."""


def channels_of(words: Sequence[str], env: Mapping[str, str] = os.environ) -> tuple[Channel, ...]:
    """The ways that ``--notify`` names; ``InputError`` for what is none."""
    return tuple(_channel(word, env) for word in words)


def shown(word: str) -> str:
    """``--notify``'s word as it may be repeated, in a record or to a person."""
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
                f"--notify {word}: the environment has no such variable, or it is empty",
                f"set {variable} to a URL" if variable else "name a variable",
            )
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise InputError(
            f"--notify {shown(word)}: not a URL",
            "https://… for a webhook, a URL of apprise (slack://…), or env:VARIABLE",
        )
    if scheme[0].lower() in ("http", "https"):
        return Webhook(url)

    return AppriseChannel(url, scheme[0].lower())


def tell_everyone(channels: Sequence[Channel], message: Message) -> bool:
    """Tell each; whether all could be told.  Nothing stops on account of one."""
    whole = True
    for channel in channels:
        try:
            channel.send(message)
        except NotifyError as error:
            whole = False
            tell(say("--notify {name}: not told: {why}", name=channel.name, why=error.message))
    return whole
