"""The address of a service, as a user types it.

Not here: the requests that go to it, which ``client`` has.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from volact.errors import InputError
from volact.model.text import raw, say

# What may be a password or a token, which no message repeats.
_SECRET = re.compile(r"(?<=//)[^/]*(?=@)|(?<=[?#]).+", re.DOTALL)
_NOT_IN_ONE = re.compile(r"[\s\x00-\x1f\x7f\\]")


def address_parts(url: str) -> SplitResult:
    """The parts of ``http://HOST`` or ``https://HOST``, with or without a port and a path.

    Raises:
        InputError: it has another scheme, no host, a port that is none, a user, a query or
            a fragment.
    """
    parts = _split(url)
    if parts is None:
        raise _no_address(url)
    return parts


def public_url(url: str) -> str:
    """The address that users type, as given, ``""`` too; it has no path.

    Raises:
        InputError: it is no address of a service, or has a path.
    """
    if url and address_parts(url).path.strip("/"):
        raise _no_address(url)
    return url


def _no_address(url: str) -> InputError:
    return InputError(
        say("{text} is not the address of a service", text=raw(repr(_SECRET.sub("…", url)))),
        say("for example: {url}", url=raw("https://volact.example")),
    )


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        name = (parts.hostname or "").encode("idna")
        usable = parts.port != 0 and bool(name)
    except ValueError:
        return None
    usable = usable and parts.scheme in ("http", "https")
    more = "@" in parts.netloc or parts.query or parts.fragment or _NOT_IN_ONE.search(url)
    return parts if usable and not more else None
