"""``ssh://user@host:port`` into an ``Address`` and back into a ``Server``.

Every scheme of the contract is read here.  Files of servers are ``load``'s.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from volact.cloud.base import Cloud
from volact.cloud.registry import cloud_of_scheme, clouds
from volact.core.assessment.hosts import address_of
from volact.errors import InputError
from volact.model.server import Address, Scheme, Server, is_port, require_host
from volact.model.text import say

LOGIN_SCHEMES = ("ssh", "winrm", "winrms")  # a user, a host and a port follow
SCHEMES = (*LOGIN_SCHEMES, *(cloud.scheme for cloud in clouds()), "local")

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<rest>.*)", re.IGNORECASE)
_HOST = re.compile(
    r"\[(?P<six>[^\]]*)\](?::(?P<port6>.*))?|(?P<host>[^:\[\]]*)(?::(?P<port>[^:]*))?"
)
_SIX = re.compile(r"[0-9A-Fa-f:.]+(%[A-Za-z0-9._~-]+)?")
_NAME = re.compile(r"[^\s/?#@\[\]\x00-\x1f]+")


def is_address(text: str) -> bool:
    """Whether a word is an address by itself and not the name of a server."""
    return text == "local" or "://" in text


def is_six(text: str) -> bool:
    """Whether a text is an IPv6 address."""
    address = address_of(text)
    return address is not None and address.version == 6


def parse_address(text: str) -> Address:
    """Take an address apart; ``InputError`` says which part is wrong."""
    if text == "local":
        return Address(scheme="local")
    match = _URL.fullmatch(text)
    if match is None:
        raise InputError(
            say("{text} is not an address", text=repr(text)), say("write ssh://user@host:port")
        )
    scheme, rest = match["scheme"].lower(), match["rest"]
    if scheme in LOGIN_SCHEMES:
        return _login_address(scheme, rest)
    cloud = cloud_of_scheme(scheme)
    if cloud is not None:
        return _instance_address(cloud, rest)
    raise InputError(
        say("unknown scheme {scheme}", scheme=repr(scheme)),
        say("known: {known}", known=", ".join(SCHEMES)),
    )


def url_of(scheme: str, text: str) -> str:
    """The URL of a host, perhaps with its port, that was not written as one."""
    return str(Address(scheme=scheme, host=text)) if is_six(text) else f"{scheme}://{text}"


def parse_target(text: str) -> Server:
    """A server given by its address alone; its name is the address without the scheme."""
    address = parse_address(text)
    text = str(address)
    return Server(name=text.partition("://")[2] or text, address=address)


def _instance_address(cloud: Cloud, rest: str) -> Address:
    if not re.fullmatch(cloud.place, rest):
        raise InputError(
            say(
                "{text}: not {place}",
                text=repr(f"{cloud.scheme}://{rest[:80]}"),
                place=cloud.place_shown,
            ),
            say("write {example}", example=f"{cloud.scheme}://{cloud.place_example}"),
        )
    return Address(scheme=cloud.scheme, host=rest)


def _login_address(scheme: Scheme, rest: str) -> Address:
    login, _, place = rest.rpartition("@")
    shown = _shown(scheme, login, place[:80])
    if ":" in login:
        raise InputError(
            say("{shown}: no password in an address", shown=shown),
            say("use password-env or key-file"),
        )
    place = place.removesuffix("/")
    match = _HOST.fullmatch(place)
    if match is None:
        raise InputError(
            say("{shown}: not a host", shown=shown),
            say("an IPv6 address goes in brackets: [2001:db8::1]"),
        )
    six = match["six"] is not None
    host = unquote(match["six"] if six else match["host"])
    good = (_SIX.fullmatch(host) and is_six(host)) if six else _NAME.fullmatch(host)
    if good and not six and re.fullmatch(r"[0-9.]+", host) and address_of(host) is None:
        raise InputError(
            say("{shown}: not an IPv4 address", shown=shown),
            say("four numbers from 0 to 255, with dots"),
        )
    if not good:
        raise InputError(
            say("{shown}: not a host", shown=shown)
            if host
            else say("{shown}: no host", shown=shown)
        )
    require_host(host)
    word = match["port6"] if six else match["port"]
    port = _port(_shown(scheme, login, place.removesuffix(f":{word}")[:80]), word)
    return Address(scheme=scheme, host=host, port=port, user=unquote(login) or None)


def _shown(scheme: str, login: str, place: str) -> str:
    """The address as it may be printed: there may be a password in it."""
    user = login.partition(":")[0]
    secret = ":…" if ":" in login else ""
    return repr(f"{scheme}://{user}{secret}{'@' if login else ''}{place}")


def _port(shown: str, word: str | None) -> int | None:
    if word is None:
        return None
    if not is_port(word):
        # What is no number may be a secret that got into the wrong place; four signs are none.
        harmless = len(word) <= 4 or (word.isascii() and word.isdigit())
        told = repr(word[:12]) if harmless else "'…'"
        raise InputError(
            say("{shown}: port {told} is not a number from 1 to 65535", shown=shown, told=told)
        )
    return int(word)
