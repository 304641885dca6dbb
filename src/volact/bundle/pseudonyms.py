"""Names in raw facts, replaced by stable pseudonyms.

The same name has the same pseudonym everywhere in one bundle, and a pseudonym is as
good as the name for every rule: ``kms01`` and ``kms01.corp.example`` keep their
first label in common.  What every volact knows stays: providers' own hosts and
addresses, Microsoft's names.  Private and link-local addresses stay too, because
routes and subnets are diagnosed by them.

Which strings of an answer are names is in ``names``; here they are replaced.
"""

from __future__ import annotations

import ipaddress
import re
from bisect import insort
from collections.abc import Iterable
from typing import Any, NamedTuple

from volact.bundle.names import APPLICATION_IDS, FILE_ENDINGS, names_in
from volact.core.assessment.hosts import address_of
from volact.model.name_edges import LETTERS, OTHER_LETTER, whole
from volact.model.profile import Profile

_LABEL = rf"(?:[{LETTERS}-]+|{OTHER_LETTER}+(?=\.))"
_HOST = re.compile(
    rf"(?:(?<![{LETTERS}.\\/-])[{LETTERS}][{LETTERS}-]*|(?<![\w.\\/-]){OTHER_LETTER}+)"
    rf"(?:\.{_LABEL})+\.?(?![{LETTERS}-])"
)
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)")
_IPV6 = re.compile(
    rf"(?:(?<![{LETTERS}:.])|(?<=[^\x00-\x7f]:))(?!:[^:])"
    rf"(?:[0-9A-Fa-f]{{0,4}}:){{2,7}}[0-9A-Fa-f]{{0,4}}(?![{LETTERS}:]|\.[{LETTERS}])"
)
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DOMAIN_SID = re.compile(r"S-1-(5-21(?:-\d+){3}|12-1(?:-\d+){4})")  # or Entra ID's of an account
_PROFILE_FOLDER = re.compile(
    r"(?i)(?<=\\users\\)[^\\\"'|]+|(?<=/users/)[^/\"'|]+|(?<=/home/)[^/\"'|\s]+"
)
_SHARE_HOST = re.compile(rf"(?<![{LETTERS}\\])(?<![\x00-\x7f]:)\\\\(\w[\w-]*)(?=\\)")
_DN_PART = re.compile(rf"(?i)(?<![{LETTERS}])(CN|OU|DC)=((?:\\.|[^,\\])+)")
_RULE_NAME = re.compile(r"\|(Name|Desc|EmbedCtxt)=[^|]*")
_WELL_KNOWN = ("microsoft.com", "windows.com", "windows.net", "ntp.org")
_SHORTEST = 3  # a shorter name would be found in every other word
# Accounts and words that are the same on every Windows.
_PLAIN_NAMES = frozenset(
    {"administrator", "system", "local", "localhost", "workgroup", "localdomain"}
)
_BY_HOST = ("reach", "reached", "resolved")  # groups whose keys are names
_MADE_GUID = "00000000-0000-4000-8000-"
_PUBLIC_V4 = ipaddress.ip_network("198.18.0.0/15")
_PUBLIC_V6 = ipaddress.ip_network("2001:db8::/32")


class _Learned(NamedTuple):
    """A name in lower case, where it stands for itself, and its pseudonym."""

    name: str
    plain: bool  # ASCII
    pattern: re.Pattern[str]
    pseudonym: str


class Pseudonyms:
    """The pseudonyms of one bundle.

    Args:
        clouds: every provider's profile; the hosts that they name stay as they are.
        names: further names to replace (the inventory's, the login's).
    """

    def __init__(self, clouds: Iterable[Profile], names: Iterable[str] = ()) -> None:
        self._clouds = tuple(clouds)
        self._kept = {host.lower().rstrip(".") for host in _hosts_of(self._clouds)}
        self._labels: dict[str, str] = {}
        self._made: set[str] = set()  # the pseudonyms of labels
        self._guids: dict[str, str] = {}
        self._sids: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        self._rules: dict[str, str] = {}
        self._learned: list[_Learned] = []  # the longest first
        self._known: set[str] = set()
        for name in names:
            self.learn(name)

    def learn(self, name: str) -> None:
        """Replace this name wherever it stands, dotted or not."""
        name = name.strip().strip("[]").rstrip(".")
        low = name.lower()
        if (
            low in self._known
            or len(name) < _SHORTEST
            or low in _PLAIN_NAMES
            or self._stays(name)
            or address_of(name) is not None
        ):
            return
        self._known.add(low)
        pattern = re.compile(f"(?i){whole(low)}")
        learned = _Learned(low, low.isascii(), pattern, self._host(name))
        insort(self._learned, learned, key=lambda one: -len(one.name))

    def facts(self, raw: dict[str, Any], kept_ids: Iterable[str] = ()) -> dict[str, Any]:
        """Raw facts of an answer without names.

        Args:
            raw: as the agent answered them.
            kept_ids: image ids that the provider publishes.
        """
        groups = {name: raw[name] for name in _BY_HOST if isinstance(raw.get(name), dict)}
        for name in names_in(raw, frozenset(kept_ids)):
            self.learn(name)
        ids = {str(row.get("ID", "")).lower() for row in _rows(raw.get("products"))}
        self._guids.update((id, id) for id in ids | APPLICATION_IDS if id)
        replaced: dict[str, Any] = self.value(raw)
        for group, found in groups.items():
            replaced[group] = {self.text(host): self.value(told) for host, told in found.items()}
        return replaced

    def value(self, value: Any) -> Any:
        """Any JSON value, with every string in it replaced; keys of objects stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        return value

    def text(self, text: str) -> str:
        """One string."""
        text = _GUID.sub(lambda found: self._guid(found[0]), text)
        text = _DOMAIN_SID.sub(lambda found: self._sid(found[0]), text)
        text = _PROFILE_FOLDER.sub(lambda found: self._label(found[0]), text)
        text = _SHARE_HOST.sub(lambda found: rf"\\{self._label(found[1])}", text)
        text = _DN_PART.sub(lambda found: f"{found[1]}={self._label(found[2])}", text)
        text = _RULE_NAME.sub(lambda found: self._rule(found[0]), text)
        text = self._literals(text)
        text = _IPV4.sub(lambda found: self._ip(found[0]), text)
        text = _IPV6.sub(lambda found: self._ip(found[0]), text)
        return _HOST.sub(lambda found: self._dotted(found[0]), text)

    def _literals(self, text: str) -> str:
        # Most names are in no text: of ASCII that is told without a pattern for each.
        low, all_plain = text.lower(), text.isascii()
        for name, plain, pattern, pseudonym in self._learned:
            if name in low or not (plain and all_plain):
                text = pattern.sub(pseudonym, text)
        return text

    def _dotted(self, name: str) -> str:
        bare = name.rstrip(".")
        labels = bare.split(".")
        if self._stays(bare) or self._made.issuperset(labels):
            return name
        if labels[-1].isdigit() or labels[-1].lower() in FILE_ENDINGS:
            return name
        return self._host(bare) + name[len(bare) :]

    def _host(self, name: str) -> str:
        return ".".join(self._label(label) for label in name.split("."))

    def _label(self, label: str) -> str:
        low = label.lower()
        if low in self._made:
            return label
        made = self._labels.setdefault(low, f"name{len(self._labels) + 1}")
        self._made.add(made)
        return made

    def _stays(self, name: str) -> bool:
        low = name.lower().rstrip(".")
        if low in self._kept or any(cloud.owns(low) for cloud in self._clouds):
            return True
        return any(low == end or low.endswith(f".{end}") for end in _WELL_KNOWN)

    def _guid(self, guid: str) -> str:
        if guid.startswith(_MADE_GUID):
            return guid
        new = f"{_MADE_GUID}{len(self._guids) + 1:012d}"
        return self._guids.setdefault(guid.lower(), new)

    def _sid(self, sid: str) -> str:
        kind = "S-1-5-21-1-1" if sid.startswith("S-1-5-21") else "S-1-12-1-1-1-1"
        return self._sids.setdefault(sid, f"{kind}-{len(self._sids) + 1}")

    def _ip(self, text: str) -> str:
        address = address_of(text)
        if address is None or not address.is_global or str(address) in self._kept:
            return text
        if self._in_a_range(address):
            return text
        base = _PUBLIC_V4 if address.version == 4 else _PUBLIC_V6
        made = str(base[len(self._addresses) + 1])
        return self._addresses.setdefault(str(address), made)

    def _in_a_range(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        ranges = (text for cloud in self._clouds for text in cloud.kms_ranges)
        networks = (ipaddress.ip_network(text, strict=False) for text in ranges)
        return any(address in network for network in networks)

    def _rule(self, part: str) -> str:
        key, _, value = part[1:].partition("=")
        if key != "Name":
            return ""
        made = self._rules.setdefault(value, f"rule {len(self._rules) + 1}")
        return f"|Name={made}"


def _rows(products: Any) -> Iterable[dict[str, Any]]:
    return (row for row in products if isinstance(row, dict)) if isinstance(products, list) else ()


def _hosts_of(clouds: Iterable[Profile]) -> Iterable[str]:
    for cloud in clouds:
        yield from (host.host for host in cloud.all_kms_hosts())
        yield from (host.host for sub in cloud.sub_clouds for host in sub.kms)
        yield from cloud.ntp
        yield from (name for sub in cloud.sub_clouds for name in sub.ntp)
        yield from cloud.dns
        yield from cloud.asset_tags
