"""The cloud that the lab's servers are in, as the rest of the lab knows it.

A folder of the lab that has a module ``home`` is a cloud: the module holds
``HOME``, a ``LabCloud``.  What its API answers lives there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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


class LabCloud(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulated cloud is to the lab.

    Slots, pools and fronts are the lab's own; each cloud knows the type of its front.
    """

    provider: str  # the name of its profile
    scheme: str  # of addresses that are reached by its run-command
    maker: str  # what its firmware says
    model: str
    license: str  # the API's word for its own licence
    scenario: str  # of a fleet when none is named
    front: Callable[..., CloudFront]  # of slots, pool and regions
    address: Callable[[Any], str]  # of a slot
    settings: Callable[[Any, Path], Mapping[str, str]]  # keys of the inventory at a path
    secrets: Callable[[Any, Path], Mapping[Path, bytes]]  # files that they name
    images: Callable[[], Mapping[str, tuple[str, str, str]]]  # that are not public


@cache
def home() -> LabCloud:
    """The one cloud of the lab's servers."""
    (found,) = _homes()
    return cast(LabCloud, import_module(found).HOME)


def _homes() -> Iterable[str]:
    names = (f"volact_lab.{item.name}" for item in iter_modules(volact_lab.__path__) if item.ispkg)
    return (f"{name}.home" for name in names if find_spec(f"{name}.home") is not None)
