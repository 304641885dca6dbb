"""A webhook: the message as one JSON document, by POST; what a chat takes is in ``chats``.

Redirects are followed within scheme, host and port only: a message about servers never
goes to a place that the operator did not name.
"""

from __future__ import annotations

import base64
import http.client
import ssl
import string
import urllib.error
import urllib.request
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import msgspec

from volact import __version__
from volact.bounded.http_client import BoundedHandler, stays_at_origin
from volact.bounded.stream import Limits
from volact.errors import InputError, NotifyError
from volact.model.text import say
from volact.notify.chats import body_for
from volact.report.message import Message

TIMEOUT_S = 10.0
_HOPS = 3
# Of an answer only its head is read.
_MOST_BYTES = 64 * 1024
_REDIRECTS = (301, 302, 307, 308)


# Without a handler for redirects they come back as answers.
_HANDLERS = (
    urllib.request.ProxyHandler,
    urllib.request.HTTPErrorProcessor,
    urllib.request.HTTPDefaultErrorHandler,
)


class Webhook:
    """One URL that accepts JSON."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        parts = _split(url)
        self.name = f"{parts.scheme}://{parts.hostname}"
        self._host, self._path = parts.hostname or "", parts.path
        self._auth = _authorization(parts)
        host = parts.netloc.rpartition("@")[2]
        self._url = parts._replace(netloc=host, fragment="").geturl()
        self._timeout_s = timeout_s
        self._opener = urllib.request.OpenerDirector()
        for handler in _HANDLERS:
            self._opener.add_handler(handler())
        self._opener.add_handler(BoundedHandler(Limits(most_bytes=_MOST_BYTES, total_s=timeout_s)))

    def send(self, message: Message) -> None:
        """POST the message; ``NotifyError`` unless the status is 2xx."""
        body = msgspec.json.encode(body_for(self._host, self._path, message))
        url = self._url
        for _ in range(_HOPS):
            status, moved = self._post(url, body)
            if status // 100 == 2:
                return
            if status not in _REDIRECTS or not moved:
                raise NotifyError(f"HTTP {status}")
            url = self._followed(url, moved)
        raise NotifyError(say("too many redirects"))

    def _followed(self, url: str, moved: str) -> str:
        if not stays_at_origin(url, moved):
            why = say("redirected to another scheme, host or port, which is not followed")
            raise NotifyError(say("{why}; name the final URL", why=why))
        # http.client reads a header as Latin-1, and sends what is ASCII alone.
        return quote(urljoin(url, moved), safe=string.punctuation, encoding="latin-1")

    def _post(self, url: str, body: bytes) -> tuple[int, str]:
        """The status, and where a redirect points."""
        headers = {"Content-Type": "application/json", "User-Agent": f"volact/{__version__}"}
        request = urllib.request.Request(url, body, {**headers, **self._auth}, method="POST")  # noqa: S310
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return int(answer.status), ""
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers.get("Location", "")
        except urllib.error.URLError as error:
            raise NotifyError(_reason(error.reason)) from None
        except (OSError, http.client.HTTPException) as error:
            raise NotifyError(_reason(error)) from None


def _split(url: str) -> SplitResult:
    """The URL in parts; ``InputError`` without repeating it."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or not url.isascii() or any(c <= " " for c in url):
        raise InputError(say("--notify: not the URL of a webhook"), "https://HOST/PATH")
    return parts


def _authorization(parts: SplitResult) -> dict[str, str]:
    """``user:password@`` as a header."""
    if parts.username is None:
        return {}
    both = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(both.encode()).decode()}"}


def _reason(error: object) -> str:
    """The reason, without any part of the URL."""
    if isinstance(error, TimeoutError):
        return say("no answer in time")
    if isinstance(error, ssl.SSLCertVerificationError):
        return say(
            "its certificate is not trusted: {verify_message}", verify_message=error.verify_message
        )
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
