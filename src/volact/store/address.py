"""Which database is meant: by the option, by the environment, or the usual place.

Nothing is opened here, and no database library is imported.  A password is for
the library alone: ``shown`` is what may be printed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote

import msgspec
import platformdirs

from volact.errors import InputError
from volact.model.server import is_port
from volact.model.text import raw, say

VARIABLE = "VOLACT_STORE"
NONE = "none"
_FILE = "volact.db"
_SERVER = re.compile(r"(?P<scheme>postgres(?:ql)?(?:\+\w+)?)://(?P<rest>.*)", re.DOTALL)
# A database's address without its slashes; a drive's letter is no scheme.
_OTHER = re.compile(
    r"(?P<scheme>(?:postgres|psql|pgsql|mysql|mariadb|oracle|mssql|sqlserver)[\w+-]*):(?!//)"
    r"|(?P<any>[A-Za-z][\w+.-]+)(?::(?!//)|//)[^/\\]*@",
    re.IGNORECASE,
)
# A password with an @ in it is a mistake that must not show its end as a host's name.
_USER = re.compile(r"(?<=://)(?P<user>[^:/]*):(?P<password>[^/?#]*|[^@]*)@")
# As the library takes one apart; libpq itself lets each of several hosts have its own port.
_PARTS = re.compile(
    r"(?P<login>[\w+]+://(?:[^:/]*(?::[^@]*)?@)?)(?P<hosts>[^/?]*)(?P<path>[^?]*)\??(?P<query>.*)",
    re.DOTALL,
)
_HOST = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<host>[^\[\]:]*))(?::(?P<port>[0-9]{0,5}))?")
_EMPTY_PORT = re.compile(r":(?=,|\Z)")
_QUERY = re.compile(r"(?P<name>[?&](?:ssl)?password=)(?P<password>[^&]*)", re.IGNORECASE)


class StoreAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A database that is meant; one of the two is empty."""

    file: Path | None = None
    url: str = ""  # with the password, where one is given
    shown: str = ""
    option: str = "--store"  # which names it, for hints

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"


def usual_file() -> Path:
    """The store's file in the user's data directory."""
    return Path(platformdirs.user_data_dir("volact", appauthor=False)) / _FILE


def chosen(
    option: str = "", environ: Mapping[str, str] = os.environ, *, name: str = "--store"
) -> StoreAddress | None:
    """The store that is meant; ``None`` when nothing is to be kept.

    ``InputError`` for words that name no store, and for a password on the command
    line, where every user of the machine could read it.
    """
    text = option or environ.get(VARIABLE, "")
    address = parse_address(text) if text else _usual()
    if address is None:
        return None
    if option and address.url and address.url != address.shown:
        raise InputError(
            say(
                "{option} contains a password, which other users can see in the list of processes",
                option=name,
            ),
            say("use PGPASSWORD, ~/.pgpass or the variable {variable}", variable=raw(VARIABLE)),
        )
    return msgspec.structs.replace(address, option=name)


def parse_address(text: str) -> StoreAddress | None:
    """A file, ``sqlite:///FILE``, ``postgresql://…`` or ``none``."""
    text = text.strip()
    if text == NONE:
        return None
    if server := _SERVER.fullmatch(text):
        if _hosts(text) is None or not _is_text(text):
            raise _no_store(text)
        return StoreAddress(url=text, shown=hidden(f"postgresql://{server['rest']}", text))
    if text.startswith("sqlite:"):
        text = text.removeprefix("sqlite:///").removeprefix("sqlite:")
    if other := _OTHER.match(text):
        # Not a file's name: a URL that is written wrongly, and may hold a password.
        raise _no_store(f"{other['scheme'] or other['any']}:…")
    if "://" in text or not text or text == ":memory:" or "\0" in text:
        raise _no_store(text)
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:  # ~user of an unknown user
        raise _no_store(text) from error
    return StoreAddress(file=path, shown=str(path))


def _no_store(text: str) -> InputError:
    return InputError(
        say("{name} is not a store", name=raw(_without_password(text) or "''")),
        say("give a file, or postgresql://user@host/database"),
    )


def library_url(url: str) -> str:
    """The URL of a server as the library reads it: the ports of several hosts are in the query."""
    hosts, parts = _hosts(url), _PARTS.fullmatch(url)
    if not hosts or not parts:
        return url
    place, query = _EMPTY_PORT.sub("", parts["hosts"]), parts["query"]
    if _for_query(hosts):
        names = ",".join(host["six"] or host["host"] for host in hosts)
        ports = ",".join(host["port"] or "" for host in hosts)
        place, query = "", "&".join(filter(None, (query, f"host={names}&port={ports}")))
    return f"{parts['login']}{place}{parts['path']}" + (f"?{query}" if query else "")


def _hosts(url: str) -> list[re.Match[str]] | None:
    """The hosts of a server's URL, each with its port; ``None`` where it has another form."""
    parts = _PARTS.fullmatch(url)
    hosts = [_HOST.fullmatch(host) for host in parts["hosts"].split(",")] if parts else []
    found = [host for host in hosts if host is not None and _is_port(host["port"] or "")]
    fits = parts and len(found) == len(hosts) and _query_fits(found, parts["query"])
    return found if fits else None


def _for_query(hosts: list[re.Match[str]]) -> bool:
    """Whether the library reads several hosts in the query alone."""
    return len(hosts) > 1 and any(host["port"] or host["six"] for host in hosts)


def _query_fits(hosts: list[re.Match[str]], query: str) -> bool:
    """Whether the query's hosts and ports are ports, as many as hosts, and not there twice."""
    said = parse_qs(query)
    ports = [port for text in said.get("port", ()) for port in text.split(",")]
    if not all(map(_is_port, ports)):
        return False
    if _for_query(hosts):
        return not said.keys() & {"host", "port"}
    if "host" not in said or not ports:
        return len(ports) <= 1
    return len(said["host"]) == 1 and len(said["host"][0].split(",")) == len(ports)


def _is_text(text: str) -> bool:
    """Whether it is UTF-8, which an argument or a variable may not be."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_port(text: str) -> bool:
    """Whether it is the number of a port, or none is given."""
    return not text or is_port(text)


def hidden(shown: str, text: str) -> str:
    """The address as it was written when it has no secret, else without it."""
    clean = _without_password(shown)
    return text if clean == shown else clean


def secrets_in(url: str) -> tuple[str, ...]:
    """What must never be printed of an address."""
    found = [match["password"] for match in (*_USER.finditer(url), *_QUERY.finditer(url))]
    found += [unquote(secret) for secret in found]
    found += [part for secret in found for part in secret.split("@")]
    longest_first = sorted({secret for secret in found if secret}, key=len, reverse=True)
    return tuple(longest_first)


def _without_password(text: str) -> str:
    text = _USER.sub(lambda match: f"{match['user']}:***@", text, count=1)
    return _QUERY.sub(lambda match: f"{match['name']}***", text)


def _usual() -> StoreAddress:
    path = usual_file()
    return StoreAddress(file=path, shown=str(path))
