"""Finds mistakes in the provider files that types alone cannot show.

``check_profiles`` is what ``volact providers check`` calls; ``check_text`` does
one file from its text, ``check_together`` what only several files show.  Each
returns problems and raises for none.  Whether a fact is *true* cannot be checked
here: that is what the sources are for.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

import msgspec

from volact.errors import DataError, InputError
from volact.knowledge.files import ProviderFile
from volact.knowledge.load import decode, load_profile, load_releases, profile_names
from volact.knowledge.provider_files import place_of, text_of
from volact.model.profile import HostPort, Profile

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

# What firmware reports of the hypervisor or the board: true in many clouds and at
# home, so it distinguishes none of them.
HYPERVISOR_WORDS = (
    "american megatrends",
    "bochs",
    "dell inc.",
    "edk ii",
    "hewlett-packard",
    "hpe",
    "innotek gmbh",
    "lenovo",
    "microsoft corporation",
    "openstack foundation",
    "phoenix technologies",
    "qemu",
    "red hat",
    "seabios",
    "vmware, inc.",
    "xen",
)

# Fields that state a fact and therefore need a source "<field>: ...".
_SOURCED = (
    "releases",
    "kms",
    "ntp",
    "dns",
    "dns_zone",
    "routes",
    "metadata",
    "date_url",
    "bios",
    "asset_tags",
    "images",
    "misprinted_ports",
    "metadata_token",
    "public_ip_key",
    "kms_from_metadata",
    "kms_suffixes",
    "kms_ranges",
    "same_address_as",
    "hardware_clock",
    "needs",
    "routes_command",
    "sub_clouds",
)
_FAMILIES = (*_SOURCED, "metadata_headers", "entitlement", "script_name", "discovery", "notes")


class ProfileProblem(msgspec.Struct, frozen=True, order=True):
    """One mistake: in which file, at which key, and what is wrong."""

    where: str
    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.key}: {self.text}"


Mistakes = Iterator[tuple[str, str]]  # key, text


def check_profiles() -> tuple[ProfileProblem, ...]:
    """Every mistake in the provider files, the operator's own among them."""
    problems: list[ProfileProblem] = []
    sound: list[Profile] = []
    for name in profile_names():
        try:
            found = check_text(name, text_of(name))
        except InputError as error:
            found = (ProfileProblem(place_of(name), "file", error.what),)
        problems += found
        if not found:
            sound.append(load_profile(name))
    return (*problems, *check_together(sound))


def check_text(name: str, text: str) -> tuple[ProfileProblem, ...]:
    """The mistakes in the text of ``providers/<name>.toml``."""
    where = place_of(name)
    try:
        profile = decode(where, text, ProviderFile)
    except DataError as error:
        return (ProfileProblem(where, "file", error.message.removeprefix(f"{where}: ")),)
    found = [*_name(profile, name), *(pair for rule in _RULES for pair in rule(profile))]
    return tuple(ProfileProblem(where, key, text) for key, text in found)


def check_together(profiles: Iterable[Profile]) -> tuple[ProfileProblem, ...]:
    """What is wrong between profiles: the same title, word of the firmware or address."""
    known = {profile.name: profile for profile in profiles}
    return tuple(
        ProfileProblem(place_of(profile.name), key, text)
        for profile in known.values()
        for key, text in (*_neighbours(profile, known), *_shared(profile, known))
    )


def _name(profile: Profile, name: str) -> Mistakes:
    if profile.name != name:
        yield "name", f"is {profile.name!r}, must be that of the file"
    for key in ("name", "title", "script_name"):
        if not getattr(profile, key).strip():
            yield key, "is empty"


def _releases(profile: Profile) -> Mistakes:
    known = {release.name for release in load_releases()}
    yield from _twice("releases", profile.releases)
    if not profile.releases:
        yield "releases", "is empty"
    for release in profile.releases:
        if release not in known:
            yield "releases", f"{release!r} is not in releases.toml"
        elif profile.discovery == "explicit" and not profile.kms_hosts(release):
            yield "kms", f"no rule gives {release!r} a host"


def _kms(profile: Profile) -> Mistakes:
    taken: set[str] = set()
    for index, rule in enumerate(profile.kms):
        key = f"kms[{index}]"
        yield from _twice(f"{key}.releases", rule.releases)
        yield from _twice(f"{key}.hosts", map(str, rule.hosts))
        yield from _kms_hosts(f"{key}.hosts", profile, rule.hosts)
        for release in rule.releases:
            if "*" in taken or release in taken:
                yield f"{key}.releases", f"{release!r} never gets here: an earlier rule takes it"
            elif release != "*" and release not in profile.releases:
                yield f"{key}.releases", f"{release!r} is not among the profile's releases"
        taken |= set(rule.releases)


def _kms_hosts(key: str, profile: Profile, hosts: tuple[HostPort, ...]) -> Mistakes:
    for host in hosts:
        if not _is_host(host.host):
            yield key, f"{host.host!r} is neither a DNS name nor an address"
        if host.port in profile.misprinted_ports:
            yield key, f"{host} has a port that misprinted_ports calls a misprint"


def _sub_clouds(profile: Profile) -> Mistakes:
    yield from _twice("sub_cloud", (sub.name for sub in profile.sub_clouds))
    accepted = set(profile.all_kms_hosts())
    for sub in profile.sub_clouds:
        key = f"sub_cloud {sub.name}"
        yield from _kms_hosts(key, profile, sub.kms)
        yield from _time_servers(key, sub.ntp)
        for host in sub.kms:
            if host not in accepted:
                yield key, f"{host} is in no kms rule"


def _network(profile: Profile) -> Mistakes:
    yield from _time_servers("ntp", profile.ntp)
    yield from _twice("dns", profile.dns)
    for address in profile.dns:
        if not _is_address(address):
            yield "dns", f"{address!r} is not an address"
    for route in profile.routes:
        if not _is_network(f"{route.destination}/{route.mask}"):
            yield "routes", f"{route.destination} mask {route.mask} is not a network"
    for way in profile.routes_command:
        for release in set(way.releases) - set(profile.releases):
            yield "routes_command", f"{release!r} is not among the profile's releases"
    for block in profile.kms_ranges:
        if not _is_network(block):
            yield "kms_ranges", f"{block!r} is not a network such as 198.51.100.0/24"
    domains = {"kms_suffixes": profile.kms_suffixes, "dns_zone": (profile.dns_zone,)}
    for key, domain in ((key, domain) for key, found in domains.items() for domain in found):
        if domain and not (_is_name(domain) and domain == domain.lower() and "." in domain):
            yield key, f"{domain!r} is not a domain in lower case without a leading dot"
    if profile.dns_zone and not profile.dns:
        yield "dns_zone", "needs dns"


def _metadata(profile: Profile) -> Mistakes:
    urls = {f"metadata.{name}": url for name, url in profile.metadata.items()}
    if profile.date_url:
        urls["date_url"] = profile.date_url
    for key, url in urls.items():
        if not _is_url(url):
            yield key, f"{url!r} is not an http or https URL"
    for name, value in profile.metadata_headers.items():
        if not _HEADER.fullmatch(name) or not value.isprintable():
            yield f"metadata_headers.{name}", "is not an HTTP header"
    rule = profile.entitlement
    both = {*rule.entitled, *rule.instance_entitled} & {*rule.own, *rule.instance_own}
    if both:
        yield "entitlement", f"{sorted(both)[0]!r} stands for both licences"
    if profile.entitlement.kind == "image" and not profile.image_key:
        yield "entitlement", "kind is image, but no image_key says where the image id is"


def _bios(profile: Profile) -> Mistakes:
    yield from _twice("bios", profile.bios)
    for word in profile.bios:
        if len(word.strip()) < 4 or word != word.strip():
            yield "bios", f"{word!r} is too short to tell a cloud by"
        elif any(word in other or other in word for other in HYPERVISOR_WORDS):
            yield "bios", f"{word!r} names a hypervisor or a board, not a cloud"


def _sources(profile: Profile) -> Mistakes:
    given = [source.fact.partition(":")[0] for source in profile.sources]
    wanted = [key for key in _SOURCED if getattr(profile, key)]
    wanted += ["entitlement"] if profile.entitlement.kind != "none" else []
    for key in wanted:
        if key not in given:
            yield key, 'has no [[source]] whose fact begins with "' + key + ': "'
    for key, source in zip(given, profile.sources, strict=True):
        if key not in _FAMILIES:
            yield "source", f"{source.fact!r} does not begin with a key and a colon"
        elif not source.fact.partition(":")[2].strip() or not source.text.strip():
            yield "source", f"of {source.fact!r} says nothing"
        elif key in _SOURCED and not getattr(profile, key):
            yield "source", f"{source.fact!r} is about a key that the file does not have"
    yield from _twice("source", (source.fact for source in profile.sources))
    told = " ".join(source.fact for source in profile.sources if source.fact.startswith("kms:"))
    words = re.findall(r"\[[^\]]+\]|[^\s,:()\[]+", told)
    named = {word.strip("[]") for word in words}
    for host in profile.all_kms_hosts():
        if host.host not in named:
            yield "kms", f"no source of the kms facts names {host.host}"


def _neighbours(profile: Profile, known: dict[str, Profile]) -> Mistakes:
    for other in known.values():
        if other.name == profile.name:
            continue
        if other.title == profile.title:
            yield "title", f"is also that of {other.name}"
        for word in profile.bios:
            if any(word in theirs for theirs in other.bios):
                yield "bios", f"{word!r} also matches what {other.name} looks for"


def _shared(profile: Profile, known: dict[str, Profile]) -> Mistakes:
    mine = {host.host for host in profile.all_kms_hosts()}
    for name in profile.same_address_as:
        if name not in known:
            yield "same_address_as", f"there is no provider {name!r}"
        elif not mine & {host.host for host in known[name].all_kms_hosts()}:
            yield "same_address_as", f"{name} has no KMS host at the same address"
    for other in known.values():
        theirs = {host.host for host in other.all_kms_hosts()}
        if other is not profile and mine & theirs and other.name not in profile.same_address_as:
            yield "same_address_as", f"{other.name} has a KMS host at the same address"


def _time_servers(key: str, servers: tuple[str, ...]) -> Mistakes:
    yield from _twice(key, servers)
    for server in servers:
        if not _is_host(server):
            yield key, f"{server!r} is neither a DNS name nor an address"


def _twice(key: str, values: Iterable[str]) -> Mistakes:
    seen: set[str] = set()
    for value in values:
        if value.lower() in seen:
            yield key, f"{value!r} occurs twice"
        seen.add(value.lower())


def _is_host(text: str) -> bool:
    return _is_address(text) or _is_name(text)


def _is_name(text: str) -> bool:
    labels = text.split(".")
    return len(text) <= 253 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def _is_address(text: str) -> bool:
    return _parses(ipaddress.ip_address, text)


def _is_network(text: str) -> bool:
    return "/" in text and _parses(ipaddress.ip_network, text)


def _is_url(text: str) -> bool:
    return _parses(urlsplit, text) and bool(
        urlsplit(text).scheme in {"http", "https"}
        and urlsplit(text).hostname
        and text.isascii()
        and not re.search(r"\s", text)
    )


def _parses(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


_RULES: tuple[Callable[[Profile], Mistakes], ...] = (
    _releases,
    _kms,
    _sub_clouds,
    _network,
    _metadata,
    _bios,
    _sources,
)
