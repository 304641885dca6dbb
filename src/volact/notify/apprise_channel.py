"""Messages through apprise: slack://, mailto:// and its other services.

A thin wrapper; apprise is an extra (``volact[notify]``).  Its plugins read what a service
sends without bounds, by HTTP, SMTP and other protocols: so they run in a process of their
own, which has a time and a limit of memory.
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
from functools import partial

import msgspec

from volact.bounded.memory import keep_memory_private
from volact.bounded.stream import Limits
from volact.child_process import forget_path, python_command, python_environment
from volact.errors import InputError, NotifyError
from volact.model.text import say
from volact.report.message import Message

_WAIT_S = 30.0
_HTTP = Limits(most_bytes=1024 * 1024, total_s=20.0)
# A message takes 50 MB.  Linux holds this limit, other systems the time alone.
_MOST_MEMORY = 96 * 1024 * 1024


class _Sent(msgspec.Struct):
    """What the process is given on its standard input: a URL may hold a secret."""

    url: str
    title: str
    text: str
    well: bool


class AppriseChannel:
    """One URL of apprise."""

    def __init__(self, url: str, scheme: str, wait_s: float = _WAIT_S) -> None:
        try:
            import apprise  # noqa: PLC0415 - an extra, and slow to load
        except ImportError as error:
            raise InputError(
                say("--notify {scheme}://…: needs apprise", scheme=scheme),
                "pip install 'volact[notify]'",
            ) from error
        # Its log may repeat parts of a URL.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        self.name = f"{scheme}://…"
        self._url, self._wait_s = url, wait_s
        if not apprise.Apprise().add(url):
            raise InputError(
                say("--notify {scheme}://…: apprise cannot use this URL", scheme=scheme),
                say("see https://github.com/caronc/apprise/wiki for how it is written"),
            )

    def send(self, message: Message) -> None:
        """Send through apprise; ``NotifyError`` if it reports a failure or takes too long."""
        sent = _Sent(self._url, message.title, message.text, message.well)
        try:
            done = subprocess.run(
                python_command(__name__),
                env=python_environment(),
                input=msgspec.json.encode(sent),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=self._wait_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NotifyError(say("no answer in time")) from None
        except OSError as error:
            raise NotifyError(error.strerror or say("apprise does not start")) from None
        if done.returncode:
            raise NotifyError(say("apprise could not deliver it"))


def main() -> int:
    """The process that sends one message; exit code 0 when it was delivered."""
    forget_path()
    _limit()
    import apprise  # noqa: PLC0415 - within the limit
    import requests  # noqa: PLC0415

    from volact.bounded.http_session import BoundedAdapter  # noqa: PLC0415

    # Every session of a plugin gets its adapters by this name.
    requests.sessions.HTTPAdapter = partial(BoundedAdapter, _HTTP, "same-origin")  # type: ignore[assignment]
    sent = msgspec.json.decode(sys.stdin.buffer.read(), type=_Sent)
    kind = apprise.NotifyType.SUCCESS if sent.well else apprise.NotifyType.WARNING
    service, one = apprise.Apprise(), apprise.Apprise.instantiate(sent.url)
    if one is not None and "overflow=" not in sent.url:
        # Left alone, a text that is longer than a service takes is refused by it as a whole.
        one.overflow_mode = apprise.OverflowMode.SPLIT
    delivered = (
        one is not None
        and service.add(one)
        and service.notify(
            body=sent.text,
            title=sent.title,
            notify_type=kind,
            body_format=apprise.NotifyFormat.TEXT,
        )
    )
    return 0 if delivered else 1


def _limit() -> None:
    keep_memory_private()
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on every system

        resource.setrlimit(resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))


if __name__ == "__main__":
    sys.exit(main())
