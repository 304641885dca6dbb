"""Where a cloud's API is, by the URL that the operator names; the option for it.  Pure."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

import msgspec

from volact.cloud.base import AccountOption
from volact.errors import InputError
from volact.model.text import say

_URL = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?P<port>:\d{1,5})?/?"
)
_HERE = re.compile(r"localhost|127(?:\.\d{1,3}){3}|\[::1\]")


class Endpoint(msgspec.Struct, frozen=True):
    """Scheme and host (with its port) of one service."""

    scheme: str
    host: str

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"{self.scheme}://{self.host}"


def read_endpoint(text: str, service: str) -> Endpoint:
    """The endpoint of a service; ``{service}`` in the URL is filled in.

    Raises:
        InputError: the text is no URL of an API.
    """
    match = _URL.fullmatch(text.replace("{service}", service))
    if match is None:
        raise InputError(
            say("{text} is not an endpoint", text=repr(text)),
            say("write https://host or https://{{service}}.host"),
        )
    scheme = match["scheme"] or "https"
    # A signed request can be read and kept back on the network: only where there
    # is no network in between is http good enough.
    if scheme == "http" and not _HERE.fullmatch(match["host"]):
        raise InputError(
            say("{text}: http leads to this machine only", text=text), say("write https://")
        )
    return Endpoint(scheme, f"{match['host']}{match['port'] or ''}")


def check_endpoint(text: str) -> None:
    """``InputError`` for a text that is no URL of an API."""
    read_endpoint(text, "api")


def path_of_link(endpoint: str, link: str) -> str:
    """Path and query of a link that an API gives, or of a path; ``ValueError`` for one elsewhere.

    An API may write its own port, as Azure does: ``https://management.azure.com:443/…``.
    """
    own, to = urlsplit(endpoint), urlsplit(link)
    if to.netloc and _origin(to) != _origin(own):
        raise ValueError("a link leads elsewhere")
    if not to.path.startswith("/") or (to.scheme and not to.netloc):
        raise ValueError("a link leads elsewhere")
    return f"{to.path}?{to.query}" if to.query else to.path


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"https": 443, "http": 80}.get(url.scheme)


def endpoint_option(help: str) -> AccountOption:
    """The setting that names another URL than the cloud's own."""
    return AccountOption(name="endpoint", help=help, metavar="URL", check=check_endpoint)
