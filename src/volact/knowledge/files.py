"""The data files as they are written, decoded straight into ``volact.model`` values.

Types and constraints define what a file may hold; a class here only adds what the
file writes otherwise than the value: hosts as ``name:port``, codes as text, a
range of codes.  No file is opened here; ``load`` names the file in errors.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from volact.model.profile import (
    Confidence,
    Edition,
    Entitlement,
    ErrorInfo,
    FromFile,
    HostKey,
    HostPort,
    KmsRule,
    Profile,
    Release,
    Source,
    SubCloud,
)

_CODE = re.compile(r"^0x[0-9A-Fa-f]{8}$")
_EXAMPLE = "0xC004F074"
Code = Annotated[str, msgspec.Meta(pattern=_CODE.pattern, examples=[_EXAMPLE])]


class _Hosts(FromFile, frozen=True, kw_only=True):
    """Hosts are written ``name:port``."""

    hosts: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.hosts:
            raise ValueError("kms: every rule and every sub_cloud needs at least one host")
        self.parsed()

    def parsed(self) -> tuple[HostPort, ...]:
        """The hosts as values."""
        return tuple(HostPort.parse(text) for text in self.hosts)


class KmsEntry(_Hosts, frozen=True, kw_only=True):
    """One ``[[kms]]`` rule."""

    releases: tuple[str, ...]


class SubCloudEntry(_Hosts, frozen=True, kw_only=True):
    """One ``[[sub_cloud]]``."""

    name: str
    title: str
    ntp: tuple[str, ...] = ()


class ProviderFile(Profile, frozen=True, kw_only=True):
    """``providers/<name>.toml``: a profile but for what is written otherwise."""

    sources: tuple[Source, ...] = msgspec.field(name="source")
    kms: tuple[KmsEntry, ...] = ()  # type: ignore[assignment]  # as it is written
    sub_clouds: tuple[SubCloudEntry, ...] = msgspec.field(  # type: ignore[assignment]
        name="sub_cloud", default=()
    )
    entitlement: Entitlement | None = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """The checks that the types of single fields cannot express."""
        if self.discovery == "explicit" and not self.kms:
            raise ValueError("kms: there is no rule, and discovery is not dns")
        for key, name in (
            ("image_key", self.image_key),
            ("instance_key", self.instance_key),
            ("kms_from_metadata", self.kms_from_metadata),
            ("public_ip_key", self.public_ip_key),
            ("entitlement.metadata", self.entitlement.metadata if self.entitlement else ""),
        ):
            if name and name not in self.metadata:
                raise ValueError(f"{key}: {name!r} is not a key of [metadata]")

    def values(self) -> Profile:
        """The profile."""
        usual = Entitlement(kind="image" if self.image_key else "none")
        return Profile(
            **msgspec.structs.asdict(self)
            | {
                "kms": tuple(KmsRule(releases=e.releases, hosts=e.parsed()) for e in self.kms),
                "sub_clouds": tuple(
                    SubCloud(name=e.name, title=e.title, kms=e.parsed(), ntp=e.ntp)
                    for e in self.sub_clouds
                ),
                "entitlement": self.entitlement or usual,
                "bios": tuple(word.lower() for word in self.bios),
                "asset_tags": tuple(tag.lower() for tag in self.asset_tags),
            }
        )


class _Sourced(FromFile, frozen=True, kw_only=True):
    """Where all of a file comes from."""

    source: str
    confidence: Confidence


class EditionFile(_Sourced, frozen=True, kw_only=True):
    """``editions.toml``."""

    edition: tuple[Edition, ...]

    def values(self) -> tuple[Edition, ...]:
        """The editions, each key once."""
        _once("edition", "gvlk", [edition.gvlk for edition in self.edition])
        return self.edition


class ReleaseFile(_Sourced, frozen=True, kw_only=True):
    """``releases.toml``."""

    release: tuple[Release, ...]

    def values(self) -> tuple[Release, ...]:
        """The releases, each name once."""
        _once("release", "name", [release.name for release in self.release])
        return self.release


class HostKeyFile(_Sourced, frozen=True, kw_only=True):
    """``host_keys.toml``."""

    host_key: tuple[HostKey, ...]

    def values(self) -> tuple[HostKey, ...]:
        """The host keys; an update is for a Windows that the key may be installed on."""
        for index, key in enumerate(self.host_key):
            if {update.host for update in key.updates} - set(key.hosts):
                raise ValueError(f"host_key[{index}].updates: names a host that is not in hosts")
        return self.host_key


class SymbolFile(_Sourced, frozen=True, kw_only=True):
    """``errors/symbols.toml``: code to name, nothing more."""

    symbols: dict[str, str]

    def values(self) -> dict[int, str]:
        """Name by unsigned code."""
        for key in self.symbols:
            if not _CODE.match(key):
                raise ValueError(f"symbols: {key!r} is not of the form {_EXAMPLE}")
        return {int(code, 16): name for code, name in self.symbols.items()}


_SHARED = tuple(name for name in ErrorInfo.__struct_fields__ if name != "code")


class ErrorEntry(ErrorInfo, frozen=True, kw_only=True):
    """One ``[[error]]``: a code (or event id), or a range of codes."""

    code: int | Code  # type: ignore[assignment]  # as it is written
    confidence: Confidence
    through: Code | None = None  # last code of a range that shares this entry

    def __post_init__(self) -> None:
        if not all((self.symbol, self.family, self.meaning, self.causes, self.remedy)):
            raise ValueError(f"{self.code} has an empty field")

    def infos(self) -> tuple[ErrorInfo, ...]:
        """One explanation for each code."""
        first = self.code if isinstance(self.code, int) else int(self.code, 16)
        last = int(self.through, 16) if self.through else first
        fields = {name: getattr(self, name) for name in _SHARED}
        return tuple(ErrorInfo(code=code, **fields) for code in range(first, last + 1))


class ErrorFile(FromFile, frozen=True, kw_only=True):
    """``errors/*.toml`` other than the symbols."""

    error: tuple[ErrorEntry, ...]

    def values(self) -> tuple[ErrorInfo, ...]:
        """Every code the file explains, ranges written out."""
        return tuple(info for entry in self.error for info in entry.infos())


def _once(table: str, key: str, values: list[str]) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise ValueError(f"{table}[{index}].{key}: occurs twice")
