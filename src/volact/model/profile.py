"""A provider's profile and the published keys, as values.

The data is in ``volact.knowledge``; the judgement in ``volact.core``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Annotated, Literal

import msgspec

from volact.model.text import say

Confidence = Literal["official", "third-party", "inferred", "unverified"]

_HOST_PORT = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[^\s:/\[\]@,]+))(?::(?P<port>\d{1,5}))?"
    r"|(?P<bare>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%\w+)?)"
)


class HostPort(msgspec.Struct, frozen=True, order=True):
    """A host name, IPv4 or IPv6 literal (without brackets) and a TCP port."""

    host: str
    port: int = 1688

    @classmethod
    def parse(cls, text: str) -> HostPort:
        """Read ``name``, ``name:port``, ``[v6]``, ``[v6]:port`` or a bare IPv6 literal.

        ValueError when it is none of these.  Without a port it is 1688.
        """
        text = text.strip()
        match = _HOST_PORT.fullmatch(text)
        if match is None:
            raise ValueError(say("{text} is not a host or host:port", text=repr(text)))
        port = int(match["port"] or 1688)
        if not 0 < port < 65536:
            raise ValueError(
                say("port {port} in {text} is out of range 1..65535", port=port, text=repr(text))
            )
        return cls(match["v6"] or match["bare"] or match["name"], port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class FromFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what data files hold: a misspelt key is an error, never ignored."""


class KmsRule(msgspec.Struct, frozen=True, kw_only=True):
    """The KMS hosts for some releases: the first is preferred, all accepted."""

    releases: tuple[str, ...]  # release names, or ("*",)
    hosts: tuple[HostPort, ...]
    own: bool = False  # the operator named them, instead of the provider's
    elsewhere: bool = False  # and none of them is the provider's, as far as is known


class Source(FromFile, frozen=True, kw_only=True):
    """Where a fact of a profile comes from and how sure it is."""

    fact: str
    text: str
    confidence: Confidence


# Words of ``Image``.  Those of ``license`` are the profile's: ``Entitlement``.
IMAGE_TYPES = ("PUBLIC_IMAGE", "PRIVATE_IMAGE", "SHARED_IMAGE")
IMAGE_SOURCES = ("OFFICIAL", "CREATE_IMAGE", "EXTERNAL_IMPORT")


class Image(FromFile, frozen=True, kw_only=True):
    """What is known of a cloud image; ``""`` means not known.

    ``license`` is a word of the profile's ``Entitlement``: one of ``entitled``
    for the cloud's own licence, one of ``own`` for the customer's.
    """

    type: str = ""
    source: str = ""
    license: str = ""


class RouteRule(FromFile, frozen=True, kw_only=True):
    """A route that the provider's internal services need.

    ``when`` "always": the server must have it.  "unreachable": it explains a
    KMS host that does not answer, and is no finding otherwise.
    """

    destination: str
    mask: str
    via: Literal["gateway", "self"] = "gateway"  # the default gateway, the server's own address
    when: Literal["always", "unreachable"] = "always"

    def leads_to(self, host: str) -> bool:
        """Whether a host that is written as an address is in its network."""
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return address in ip_network(f"{self.destination}/{self.mask}", strict=False)


class RoutesCommand(FromFile, frozen=True, kw_only=True):
    """The provider's own command that sets its routes, on some releases."""

    releases: tuple[str, ...]
    tool: str  # what the command is of
    command: str


class Entitlement(FromFile, frozen=True, kw_only=True):
    """How it is known that the cloud's own licence covers a server.

    ``kind`` "image": by the catalogue of images; "metadata": by a value of the
    metadata service; "edition": by the edition of Windows itself; "none": it
    cannot be seen from the server.
    """

    kind: Literal["image", "metadata", "edition", "none"] = "none"
    metadata: str = ""  # kind "metadata": name in Profile.metadata; "" = no confirmed URL
    # Values of the metadata service, or words of the catalogue of images:
    entitled: tuple[str, ...] = ()  # values that mean: the cloud's licence
    own: tuple[str, ...] = ()  # values that mean: the customer's own licence
    # The same of words that the cloud's API has for an instance's licence:
    instance_entitled: tuple[str, ...] = ()
    instance_own: tuple[str, ...] = ()
    text: str = ""  # one sentence for a person


class SubCloud(msgspec.Struct, frozen=True, kw_only=True):
    """A region or product line of a cloud that has KMS hosts of its own."""

    name: str
    title: str
    kms: tuple[HostPort, ...]
    ntp: tuple[str, ...] = ()


class Profile(FromFile, frozen=True, kw_only=True):
    """One cloud, as ``knowledge/providers/<name>.toml`` describes it."""

    name: str
    title: str
    kms: tuple[KmsRule, ...]
    releases: tuple[str, ...]  # known to be served; no provider's list is complete
    ntp: tuple[str, ...] = ()  # first is what set-time-source writes
    dns: tuple[str, ...] = ()
    dns_zone: str = ""  # the domain of the provider's own names, which those servers know
    routes: tuple[RouteRule, ...] = ()
    routes_command: tuple[RoutesCommand, ...] = ()  # the provider's own way to set its routes
    metadata: dict[str, str] = {}  # name -> URL
    metadata_headers: dict[str, str] = {}
    metadata_token: str = ""  # the header of a token that is got first, by PUT
    public_ip_key: str = ""  # which metadata name holds the server's own public address
    date_url: str = ""  # an HTTP service whose Date header is a second clock
    instance_key: str = ""  # which metadata name holds the instance's id, as addresses have it
    image_key: str = ""  # which metadata name holds the image id
    images: dict[str, Image] = {}  # image ids known in advance
    bios: tuple[str, ...] = ()  # words of BIOS vendor or maker, lower case
    asset_tags: tuple[str, ...] = ()  # whole asset tags of the chassis, lower case
    script_name: str = "activate-win.bat"
    misprinted_ports: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    discovery: Literal["explicit", "dns"] = "explicit"  # dns: no host of its own, or a named one
    kms_from_metadata: str = ""  # which metadata name holds the KMS host
    kms_suffixes: tuple[str, ...] = ()  # every host below these domains is the cloud's own
    kms_ranges: tuple[str, ...] = ()  # documented for routes and firewalls, never to be set
    same_address_as: tuple[str, ...] = ()  # profiles with a KMS host at the same address
    hardware_clock: Literal["", "utc"] = ""  # servers' hardware clocks run in UTC; "": not known
    needs: str = ""  # what must hold before its KMS hosts answer
    entitlement: Entitlement = Entitlement()
    sub_clouds: tuple[SubCloud, ...] = ()

    def kms_hosts(self, release: str) -> tuple[HostPort, ...]:
        """Accepted KMS hosts for a release, preferred first; () when none."""
        for rule in self.kms:
            if release in rule.releases or "*" in rule.releases:
                return rule.hosts
        return ()

    def all_kms_hosts(self) -> tuple[HostPort, ...]:
        """Every KMS host the profile names, in order, each once."""
        return tuple(dict.fromkeys(host for rule in self.kms for host in rule.hosts))

    @property
    def is_azure(self) -> bool:
        """Whether it is one of the Azure clouds, the only ones that license Azure Edition."""
        return self.entitlement.kind == "edition"

    @property
    def is_cloud(self) -> bool:
        """Whether the servers run in a cloud; False: on premises, or DNS names the KMS host."""
        return self.discovery != "dns" and self.name != "generic"

    def owns(self, host: str) -> bool:
        """Whether ``host`` is by its name one of this cloud's KMS hosts.

        True does not decide which cloud a server is in: see ``same_address_as``.
        """
        name = host.lower().rstrip(".")
        for known in self._named_hosts():
            if known.host.lower() == name:
                return True
        return any(name.endswith(f".{end}") for end in self.kms_suffixes)

    @property
    def own_hosts(self) -> bool:
        """Whether its KMS hosts are those that the operator named."""
        return any(rule.own for rule in self.kms)

    @property
    def hosts_elsewhere(self) -> bool:
        """Whether the operator named KMS hosts of which none is known to be the provider's."""
        return any(rule.elsewhere for rule in self.kms)

    def _named_hosts(self) -> Iterator[HostPort]:
        for rule in self.kms:
            yield from rule.hosts
        for sub in self.sub_clouds:
            yield from sub.kms

    def with_kms_hosts(self, hosts: tuple[HostPort, ...]) -> Profile:
        """This profile with the KMS hosts that the operator named, and no others.

        Its name servers and routes stay only where they lead to one of them: where
        that is a host of the provider all the same.
        """
        names = tuple(host.host.lower().rstrip(".") for host in hosts)
        zone = f".{self.dns_zone.lower()}"
        inside = any(self.owns(name) or (self.dns and name.endswith(zone)) for name in names)
        led = [route for route in self.routes if any(map(route.leads_to, names))]
        routes = tuple(r for r in self.routes if inside or r.when == "always" or r in led)
        elsewhere = not (inside or led)
        return msgspec.structs.replace(
            self,
            kms=(KmsRule(releases=("*",), hosts=hosts, own=True, elsewhere=elsewhere),),
            dns=self.dns if inside else (),
            dns_zone=self.dns_zone if inside else "",
            routes=routes,
            discovery="explicit",
            kms_from_metadata="",
            kms_suffixes=(),
            kms_ranges=(),
            needs="",
            sub_clouds=(),
        )

    def sub_cloud(self, name: str) -> Profile:
        """This profile narrowed to one region or product line; KeyError for an unknown one."""
        found = {sub.name: sub for sub in self.sub_clouds}[name]
        return msgspec.structs.replace(
            self,
            name=f"{self.name}/{found.name}",
            title=found.title,
            kms=(KmsRule(releases=("*",), hosts=found.kms),),
            ntp=found.ntp or self.ntp,
            kms_suffixes=(),  # its own hosts, and no other region's
            sub_clouds=(),
        )


Gvlk = Annotated[
    str,
    msgspec.Meta(
        pattern="^[A-Z0-9]{5}(-[A-Z0-9]{5}){4}$", examples=["XXXXX-XXXXX-XXXXX-XXXXX-XXXXX"]
    ),
]


class Edition(FromFile, frozen=True, kw_only=True):
    """One published GVLK: for which builds and which SKU numbers."""

    release: str  # "2016", "2012 R2", "1809", ...
    title: str
    edition_id: str
    edition_id_confidence: Literal["official", "unverified"] = "unverified"
    builds: tuple[int, ...]
    skus: tuple[int, ...]
    gvlk: Gvlk


class Release(FromFile, frozen=True, kw_only=True):
    """A Windows Server release and its build numbers."""

    name: str
    builds: Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]
    skus: tuple[int, ...] = ()  # when a build number is shared, the SKUs of this one
    supported: bool = True


class HostUpdate(FromFile, frozen=True, kw_only=True):
    """The update that a Windows needs to be a KMS host for a newer release."""

    host: str
    kb: str


class HostKey(FromFile, frozen=True, kw_only=True):
    """A KMS host key: the release it is of, and the Windows it may be installed on."""

    release: str
    hosts: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    updates: tuple[HostUpdate, ...] = ()


class ErrorInfo(FromFile, frozen=True, kw_only=True):
    """What is known about one HRESULT or event id."""

    code: int
    symbol: str
    family: str  # class of the facts: dns, network, time, key, ...
    meaning: str
    causes: tuple[str, ...] = ()
    remedy: str = ""
    source: str = ""
    confidence: Confidence | Literal[""] = ""


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """All data that judging one server needs."""

    profile: Profile
    editions: tuple[Edition, ...]
    releases: tuple[Release, ...]
    errors: dict[int, ErrorInfo] = {}
    host_keys: tuple[HostKey, ...] = ()
