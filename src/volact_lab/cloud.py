"""The clouds that the lab's servers are in, as the rest of the lab knows them.

A folder of the lab that has a module ``home`` is a cloud: the module holds
``HOME``, a ``LabCloud``.  What its API answers lives there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Protocol, cast

import msgspec

import volact_lab


class CloudFront(Protocol):
    """A cloud's API on a loopback port."""

    @property
    def endpoint(self) -> str:
        """What a client sets as its endpoint."""
        ...

    async def start(self) -> None:
        """Listen."""
        ...

    async def stop(self) -> None:
        """Close the listener, its connections, and what runs."""
        ...


class CloudApi(Protocol):
    """What a cloud's module has.  Slots, pools and fronts are of the lab's own types."""

    def front(self, slots: Any, pool: Any, regions: tuple[str, ...]) -> CloudFront:
        """The API of all regions, not yet started."""
        ...

    def address(self, slot: Any) -> str:
        """The address of a server behind the run-command."""
        ...

    def settings(self, front: Any, path: Path) -> Mapping[str, str]:
        """The account's keys of the inventory at a path."""
        ...

    def secrets(self, front: Any, path: Path) -> Mapping[Path, bytes]:
        """The files that those keys name."""
        ...

    def own_images(self) -> Mapping[str, tuple[str, str, str]]:
        """Type, source and licence of the account's images that are not public."""
        ...


class LabCloud(msgspec.Struct, frozen=True, kw_only=True):
    """The names of a simulated cloud; its API is imported when a lab starts.

    ``metadata`` is what its metadata service answers about a server, by its spec;
    ``None`` for what ``windows.setup`` has.
    """

    provider: str  # the name of its profile
    scheme: str  # of addresses that are reached by its run-command
    maker: str  # the maker's name in its firmware
    model: str
    license: str  # the API's word for its own licence
    module: str  # fulfils ``CloudApi``
    is_home: bool = False  # servers with a login are in it, too
    regions: tuple[str, ...] = ()  # in the place of the scenario's
    id_prefix: str = "i-"
    id_letters: str = "0123456789abcdef"
    id_length: int = 17
    says_license: bool = False  # its API alone does: no server sees it by itself
    metadata: Callable[[Any], dict[str, str]] | None = None

    @property
    def api(self) -> CloudApi:
        """What needs the packages of the lab."""
        return cast(CloudApi, import_module(self.module))


@cache
def lab_clouds() -> tuple[LabCloud, ...]:
    """Every simulated cloud."""
    names = (f"volact_lab.{item.name}" for item in iter_modules(volact_lab.__path__) if item.ispkg)
    found = (import_module(f"{name}.home").HOME for name in names if find_spec(f"{name}.home"))
    return tuple(cast(LabCloud, item) for item in found)


@cache
def home() -> LabCloud:
    """The cloud of the lab's servers that have a login."""
    (found,) = (cloud for cloud in lab_clouds() if cloud.is_home)
    return found


@cache
def cloud_of(transport: str) -> LabCloud:
    """The cloud that a server is in, by how it is reached."""
    return next((cloud for cloud in lab_clouds() if cloud.scheme == transport), home())
