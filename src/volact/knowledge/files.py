"""The shape of each data file, and its conversion into ``volact.model`` values.

Conversion raises ``ValueError`` whose text starts with the key; ``load`` adds
the file's name.  No file is opened here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from volact.model.profile import (
    Edition,
    Entitlement,
    ErrorInfo,
    HostKey,
    HostPort,
    Image,
    KmsRule,
    Profile,
    Release,
    RouteRule,
    Source,
    SubCloud,
)

CONFIDENCES = ("official", "third-party", "inferred", "unverified")
ENTITLEMENT_KINDS = ("image", "metadata", "edition", "none")
DISCOVERIES = ("explicit", "dns")
HARDWARE_CLOCKS = ("", "utc")
ROUTE_VIA = ("gateway", "self")
ROUTE_WHEN = ("always", "unreachable")

_GVLK = re.compile(r"[A-Z0-9]{5}(-[A-Z0-9]{5}){4}")
_CODE = re.compile(r"0x[0-9A-Fa-f]{8}")


class FileShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all file shapes: a misspelt key is an error, never ignored."""


class KmsEntry(FileShape, frozen=True):
    """One ``[[kms]]`` rule; hosts are written ``name:port``."""

    releases: tuple[str, ...]
    hosts: tuple[str, ...]


class SubCloudEntry(FileShape, frozen=True):
    """One ``[[sub_cloud]]``; hosts are written ``name:port``."""

    name: str
    title: str
    hosts: tuple[str, ...]
    ntp: tuple[str, ...] = ()


class EntitlementEntry(FileShape, frozen=True):
    """``[entitlement]``."""

    kind: str
    text: str = ""
    metadata: str = ""
    entitled: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


class ProviderFile(FileShape, frozen=True):
    """``providers/<name>.toml``."""

    name: str
    title: str
    releases: tuple[str, ...]
    source: tuple[Source, ...]
    kms: tuple[KmsEntry, ...] = ()
    script_name: str = "activate-win.bat"
    ntp: tuple[str, ...] = ()
    dns: tuple[str, ...] = ()
    routes: tuple[RouteRule, ...] = ()
    metadata: dict[str, str] = {}
    metadata_headers: dict[str, str] = {}
    date_url: str = ""
    image_key: str = ""
    images: dict[str, Image] = {}
    bios: tuple[str, ...] = ()
    asset_tags: tuple[str, ...] = ()
    misprinted_ports: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    discovery: str = "explicit"
    kms_from_metadata: str = ""
    kms_suffixes: tuple[str, ...] = ()
    kms_ranges: tuple[str, ...] = ()
    same_address_as: tuple[str, ...] = ()
    needs: str = ""
    hardware_clock: str = ""
    entitlement: EntitlementEntry | None = None
    sub_cloud: tuple[SubCloudEntry, ...] = ()

    def values(self) -> Profile:
        """The profile, checked for what types alone cannot say."""
        self._check()
        return Profile(
            name=self.name,
            title=self.title,
            kms=tuple(_kms_rules(self.kms)),
            releases=self.releases,
            ntp=self.ntp,
            dns=self.dns,
            routes=self.routes,
            metadata=self.metadata,
            metadata_headers=self.metadata_headers,
            date_url=self.date_url,
            image_key=self.image_key,
            images=self.images,
            bios=tuple(word.lower() for word in self.bios),
            asset_tags=tuple(tag.lower() for tag in self.asset_tags),
            script_name=self.script_name,
            misprinted_ports=self.misprinted_ports,
            notes=self.notes,
            sources=self.source,
            discovery=self.discovery,
            kms_from_metadata=self.kms_from_metadata,
            kms_suffixes=self.kms_suffixes,
            kms_ranges=self.kms_ranges,
            same_address_as=self.same_address_as,
            needs=self.needs,
            hardware_clock=self.hardware_clock,
            entitlement=self._entitlement(),
            sub_clouds=tuple(_sub_clouds(self.sub_cloud)),
        )

    def _check(self) -> None:
        _check_word("discovery", self.discovery, DISCOVERIES)
        _check_word("hardware_clock", self.hardware_clock, HARDWARE_CLOCKS)
        if self.discovery == "explicit" and not self.kms:
            raise ValueError("kms: there is no rule, and discovery is not dns")
        hosts = [entry.hosts for entry in self.kms] + [sub.hosts for sub in self.sub_cloud]
        if not all(hosts):
            raise ValueError("kms: every rule and every sub_cloud needs at least one host")
        asked = self.entitlement.metadata if self.entitlement else ""
        for key, name in (
            ("image_key", self.image_key),
            ("kms_from_metadata", self.kms_from_metadata),
            ("entitlement.metadata", asked),
        ):
            if name and name not in self.metadata:
                raise ValueError(f"{key}: {name!r} is not a key of [metadata]")
        for route in self.routes:
            _check_word("routes.via", route.via, ROUTE_VIA)
            _check_word("routes.when", route.when, ROUTE_WHEN)
        for source in self.source:
            _check_confidence(f"source of {source.fact!r}", source.confidence)

    def _entitlement(self) -> Entitlement:
        if self.entitlement is None:
            return Entitlement(kind="image" if self.image_key else "none")
        _check_word("entitlement.kind", self.entitlement.kind, ENTITLEMENT_KINDS)
        return Entitlement(
            kind=self.entitlement.kind,
            metadata=self.entitlement.metadata,
            entitled=self.entitlement.entitled,
            own=self.entitlement.own,
            text=self.entitlement.text,
        )


class EditionFile(FileShape, frozen=True):
    """``editions.toml``."""

    source: str
    confidence: str
    edition: tuple[Edition, ...]

    def values(self) -> tuple[Edition, ...]:
        """The editions; a key must have the form of one and occur once."""
        _check_confidence("confidence", self.confidence)
        keys: set[str] = set()
        for index, edition in enumerate(self.edition):
            if not _GVLK.fullmatch(edition.gvlk):
                raise ValueError(f"edition[{index}].gvlk: not of the form XXXXX-XXXXX-...")
            if edition.gvlk in keys:
                raise ValueError(f"edition[{index}].gvlk: occurs twice")
            keys.add(edition.gvlk)
        return self.edition


class ReleaseFile(FileShape, frozen=True):
    """``releases.toml``."""

    source: str
    confidence: str
    release: tuple[Release, ...]

    def values(self) -> tuple[Release, ...]:
        """The releases; every one has a build number and its own name."""
        _check_confidence("confidence", self.confidence)
        names = [release.name for release in self.release]
        for index, release in enumerate(self.release):
            if not release.builds:
                raise ValueError(f"release[{index}].builds: is empty")
            if names.count(release.name) > 1:
                raise ValueError(f"release[{index}].name: {release.name!r} occurs twice")
        return self.release


class HostKeyFile(FileShape, frozen=True):
    """``host_keys.toml``."""

    source: str
    confidence: str
    host_key: tuple[HostKey, ...]

    def values(self) -> tuple[HostKey, ...]:
        """The host keys; every one can be installed somewhere."""
        _check_confidence("confidence", self.confidence)
        for index, key in enumerate(self.host_key):
            if not key.hosts:
                raise ValueError(f"host_key[{index}].hosts: is empty")
            if {update.host for update in key.updates} - set(key.hosts):
                raise ValueError(f"host_key[{index}].updates: names a host that is not in hosts")
        return self.host_key


class SymbolFile(FileShape, frozen=True):
    """``errors/symbols.toml``: code to name, nothing more."""

    source: str
    confidence: str
    symbols: dict[str, str]

    def values(self) -> dict[int, str]:
        """Name by unsigned code."""
        return {_code(key, key): name for key, name in self.symbols.items()}


class ErrorEntry(FileShape, frozen=True):
    """One ``[[error]]``: a code (or event id), or a range of codes."""

    code: str | int
    symbol: str
    family: str
    meaning: str
    causes: tuple[str, ...]
    remedy: str
    source: str
    confidence: str
    through: str = ""  # last code of a range that shares this entry


class ErrorFile(FileShape, frozen=True):
    """``errors/*.toml`` other than the symbols."""

    error: tuple[ErrorEntry, ...]

    def values(self) -> tuple[ErrorInfo, ...]:
        """Every code the file explains, ranges written out."""
        return tuple(
            info for index, entry in enumerate(self.error) for info in _infos(index, entry)
        )


def _kms_rules(entries: tuple[KmsEntry, ...]) -> Iterator[KmsRule]:
    for index, entry in enumerate(entries):
        hosts = _hosts(f"kms[{index}].hosts", entry.hosts)
        yield KmsRule(releases=entry.releases, hosts=hosts)


def _sub_clouds(entries: tuple[SubCloudEntry, ...]) -> Iterator[SubCloud]:
    for index, entry in enumerate(entries):
        hosts = _hosts(f"sub_cloud[{index}].hosts", entry.hosts)
        yield SubCloud(name=entry.name, title=entry.title, kms=hosts, ntp=entry.ntp)


def _hosts(key: str, texts: tuple[str, ...]) -> tuple[HostPort, ...]:
    try:
        return tuple(HostPort.parse(text) for text in texts)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def _infos(index: int, entry: ErrorEntry) -> Iterator[ErrorInfo]:
    key = f"error[{index}]"
    _check_confidence(f"{key}.confidence", entry.confidence)
    if not all((entry.symbol, entry.family, entry.meaning, entry.causes, entry.remedy)):
        raise ValueError(f"{key}: {entry.code} has an empty field")
    first = entry.code if isinstance(entry.code, int) else _code(f"{key}.code", entry.code)
    last = _code(f"{key}.through", entry.through) if entry.through else first
    for code in range(first, last + 1):
        yield ErrorInfo(
            code=code,
            symbol=entry.symbol,
            family=entry.family,
            meaning=entry.meaning,
            causes=entry.causes,
            remedy=entry.remedy,
            source=entry.source,
            confidence=entry.confidence,
        )


def _code(key: str, text: str) -> int:
    if not _CODE.fullmatch(text):
        raise ValueError(f"{key}: {text!r} is not of the form 0xC004F074")
    return int(text, 16)


def _check_confidence(key: str, word: str) -> None:
    _check_word(key, word, CONFIDENCES)


def _check_word(key: str, word: str, known: tuple[str, ...]) -> None:
    if word not in known:
        raise ValueError(f"{key}: {word!r} is none of {', '.join(known)}")
