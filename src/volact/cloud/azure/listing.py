"""Azure's list of virtual machines as a ``ListServers``: which are Windows, and their licences.

How servers are named and reached is for ``volact.inventory``; entitlement is
judged in ``volact.core``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from volact.cloud.azure.calls import ArmValue, Calls
from volact.cloud.azure.vm import VERSION, ImageReference, Machine
from volact.cloud.base import ApiError, ListedInstance, ServerList
from volact.cloud.calls import all_pages
from volact.errors import one_line
from volact.model.error_text import error_text
from volact.model.text import Text, say

_NETWORK = {"api-version": "2024-05-01"}
# States of a machine that is no server yet, or soon none any more.
_GONE = frozenset({"Creating", "Deleting"})


class _Address(ArmValue, frozen=True):
    private: str | None = msgspec.field(default=None, name="privateIPAddress")
    primary: bool | None = None


class _Configuration(ArmValue, frozen=True):
    properties: _Address = _Address()


class _Configurations(ArmValue, frozen=True):
    ip_configurations: tuple[_Configuration, ...] = ()


class Interface(ArmValue, frozen=True):
    """A network interface and its addresses."""

    id: str
    properties: _Configurations = _Configurations()


class _Machines(ArmValue, frozen=True):
    value: tuple[Machine, ...]  # also when it is empty: else it is no answer
    next_link: str | None = None


class _Interfaces(ArmValue, frozen=True):
    value: tuple[Interface, ...]
    next_link: str | None = None


P = TypeVar("P", _Machines, _Interfaces)


class VmList:
    """The list of one subscription or resource group; fulfils ``cloud.base.ListServers``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list_servers(self, filters: Mapping[str, Sequence[str]]) -> ServerList:
        """Every machine that the filters let through.  The API itself has none of them."""
        path = self._calls.path("Compute", "virtualMachines")
        machines, interfaces = await asyncio.gather(
            self._pages(path, VERSION, _Machines), self._interfaces()
        )
        chosen = [one for part in machines for one in part.value if fits(one, filters)]
        unread = await self._add_others(interfaces, chosen)
        own = self._calls.subscription
        return ServerList(tuple(listed(own, one, interfaces) for one in chosen), {}, unread)

    async def _interfaces(self, group: str = "") -> dict[str, Interface]:
        """The network interfaces of the scope, or of another group, by id."""
        path = self._calls.path("Network", "networkInterfaces", group=group)
        pages = await self._pages(path, _NETWORK, _Interfaces)
        return {one.id.lower(): one for part in pages for one in part.value}

    async def _add_others(
        self, interfaces: dict[str, Interface], machines: Sequence[Machine]
    ) -> tuple[Text, ...]:
        """Add those of other groups that machines have; what could not be read is told."""
        unread = []
        for group in _other_groups(machines, interfaces):
            try:
                interfaces |= await self._interfaces(group)
            except ApiError as error:
                if error.kind != "auth":
                    raise
                told = say(
                    "the network interfaces of resource group {group} cannot be read: {message}",
                    group=group,
                    message=error_text(error),
                )
                unread.append(told)
        return tuple(unread)

    async def _pages(self, path: str, version: Mapping[str, str], page: type[P]) -> tuple[P, ...]:
        async def ask(url: str) -> P:
            # The link to a further page has the version in it.
            query = {} if "?" in url else version
            return await self._calls.ask("GET", url, query, page)

        def following(got: P, _count: int) -> str | None:
            return got.next_link or None

        return await all_pages(ask, lambda got: (got,), following, path)


def fits(machine: Machine, filters: Mapping[str, Sequence[str]]) -> bool:
    """Whether a machine has one of the values of every filter; case does not matter in Azure."""
    hardware = machine.properties.hardware_profile
    own = {
        "location": (machine.location,),
        "name": (machine.name,),
        "resource-group": (_group(machine.id),),
        "size": (hardware.vm_size or "" if hardware else "",),
        "zone": machine.zones or (),
        **{f"tag:{key}".lower(): (value,) for key, value in (machine.tags or {}).items()},
    }
    return all(
        {value.lower() for value in own.get(name.lower(), ())} & {word.lower() for word in words}
        for name, words in filters.items()
    )


def listed(
    subscription: str, machine: Machine, interfaces: Mapping[str, Interface]
) -> ListedInstance:
    """A machine in the terms of every cloud."""
    about, group = machine.properties, _group(machine.id)
    storage = about.storage_profile
    image = storage.image_reference or ImageReference()
    own = (one_line(f"{key}={value}", 200) for key, value in (machine.tags or {}).items())
    benefit = about.license_type or "None"
    return ListedInstance(
        id=machine.name,
        name=one_line(machine.name, 80),
        place=f"{subscription}/{group}/{machine.name}",
        is_windows=_is_windows(machine),
        exists=about.provisioning_state not in _GONE,
        private_address=_address(machine, interfaces),
        image=image.id or ":".join(filter(None, (image.publisher, image.offer, image.sku))),
        # A hybrid benefit, else who publishes the image in the marketplace.
        license=(image.publisher or "") if benefit.lower() == "none" else benefit,
        tags=tuple(dict.fromkeys((*own, group, machine.location, *(machine.zones or ())))),
    )


def _is_windows(machine: Machine) -> bool:
    return (machine.properties.storage_profile.os_disk.os_type or "").lower() == "windows"


def _group(resource: str) -> str:
    """The resource group, which only the id has."""
    parts = resource.split("/")
    return parts[4] if len(parts) > 4 else ""


def _interface_ids(machine: Machine) -> list[str]:
    """The ids of its network interfaces, the primary one first."""
    network = machine.properties.network_profile
    own = network.network_interfaces if network else ()
    ordered = sorted(own, key=lambda one: not one.properties.primary)
    return [(one.id or "").lower() for one in ordered]


def _other_groups(
    machines: Sequence[Machine], interfaces: Mapping[str, Interface]
) -> Sequence[str]:
    """The groups of the primary network interfaces that are not among those at hand."""
    ids = (name for one in machines if _is_windows(one) for name in _interface_ids(one)[:1])
    return sorted({_group(name) for name in ids if name not in interfaces} - {""})


def _address(machine: Machine, interfaces: Mapping[str, Interface]) -> str:
    found = (interfaces[name] for name in _interface_ids(machine) if name in interfaces)
    for interface in found:
        own = interface.properties.ip_configurations
        for configuration in sorted(own, key=lambda one: not one.properties.primary):
            if configuration.properties.private:
                return configuration.properties.private
    return ""
