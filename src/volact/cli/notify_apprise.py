"""Messages through apprise: slack://, mailto:// and its other services.

A thin wrapper; apprise is an extra (``volact[notify]``).
"""

from __future__ import annotations

import logging

from volact.errors import InputError, NotifyError
from volact.report.message import Message


class AppriseChannel:
    """One URL of apprise."""

    def __init__(self, url: str, scheme: str) -> None:
        try:
            import apprise  # noqa: PLC0415 - an extra, and slow to load
        except ImportError as error:
            raise InputError(
                f"--notify {scheme}://…: needs apprise", "pip install 'volact[notify]'"
            ) from error
        # Its log may repeat parts of a URL.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        self.name = f"{scheme}://…"
        self._kind, self._format = apprise.NotifyType, apprise.NotifyFormat.TEXT
        self._apprise = apprise.Apprise()
        if not self._apprise.add(url):
            raise InputError(
                f"--notify {scheme}://…: apprise cannot use this URL",
                "see https://github.com/caronc/apprise/wiki for how it is written",
            )

    def send(self, message: Message) -> None:
        """Send through apprise; ``NotifyError`` if it reports a failure."""
        kind = self._kind.SUCCESS if message.well else self._kind.WARNING
        try:
            sent = self._apprise.notify(
                body=message.text, title=message.title, notify_type=kind, body_format=self._format
            )
        except Exception as error:  # a third-party plugin; its message may hold the URL
            raise NotifyError(type(error).__name__) from None
        if not sent:
            raise NotifyError("apprise could not deliver it")
