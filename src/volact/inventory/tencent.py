"""Tencent Cloud's own list of instances as an inventory.

Which instances are servers of ours to ask, what they are called, how they are
reached and what is known of their images.  The calls are
``volact.cloud.tencent``'s; entitlement is judged in ``volact.core``.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from volact.cloud.tencent import cvm
from volact.cloud.tencent.calls import PAUSES_S, Calls
from volact.cloud.tencent.cvm import ImageRow, Instance
from volact.cloud.tencent.failures import ApiError
from volact.cloud.tencent.keys import find_keys
from volact.cloud.tencent.threads import Threads
from volact.errors import InputError, one_line
from volact.inventory.fields import near
from volact.inventory.listing import Inventory
from volact.model.account import Account
from volact.model.profile import Image
from volact.model.server import Address, Server

Via = Literal["tat", "ssh", "winrm"]
PROVIDER = "tencent"

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z0-9]+)+")
# States of an instance that is no server yet, or none any more.
_GONE = frozenset({"PENDING", "LAUNCH_FAILED", "SHUTDOWN", "TERMINATING"})


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be listed, and how the servers are to be reached."""

    regions: tuple[str, ...]
    filters: Mapping[str, tuple[str, ...]] = {}
    via: Via = "tat"
    account: Account = Account()

    def __str__(self) -> str:
        return f"{PROVIDER}:{','.join(self.regions)}"


class _Found(msgspec.Struct, frozen=True):
    """One Windows instance of a region."""

    region: str
    instance: Instance


class Listed(msgspec.Struct, frozen=True):
    """What one region has."""

    region: str
    instances: tuple[Instance, ...]
    images: Mapping[str, ImageRow]


def parse_source(text: str) -> tuple[str, ...]:
    """The regions of ``tencent:ap-jakarta,ap-singapore``."""
    cloud, _, rest = text.partition(":")
    if cloud != PROVIDER:
        raise InputError(f"--from {text}: cannot list {cloud!r}", "write tencent:REGION,REGION")
    regions = tuple(dict.fromkeys(word.strip() for word in rest.split(",") if word.strip()))
    for region in regions:
        if not _REGION.fullmatch(region):
            raise InputError(f"--from {text}: {region!r} is not a region", "such as ap-jakarta")
    if not regions:
        raise InputError(f"--from {text}: names no region", "write tencent:REGION,REGION")
    return regions


def parse_filters(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """``NAME=VALUE,VALUE`` in the API's own words, within the API's limits."""
    filters: dict[str, tuple[str, ...]] = {}
    for word in words:
        name, equals, rest = word.partition("=")
        values = tuple(value for value in rest.split(",") if value)
        if not equals or not values:
            raise InputError(f"--from-filter {word}: no value", "write vpc-id=vpc-xxxxxxxx")
        if name not in cvm.FILTERS and not re.fullmatch(r"tag:.+", name):
            hint = near(name, (*cvm.FILTERS, "tag:KEY"))
            raise InputError(f"--from-filter: unknown filter {name!r}", hint)
        filters[name] = (*filters.get(name, ()), *values)
        if len(filters[name]) > cvm.MAX_FILTER_VALUES:
            most = cvm.MAX_FILTER_VALUES
            raise InputError(f"--from-filter {name}: the API takes at most {most} values")
    if len(filters) > cvm.MAX_FILTERS:
        raise InputError(f"--from-filter: the API takes at most {cvm.MAX_FILTERS} filters")
    return filters


async def list_servers(source: Source, *, pauses_s: tuple[float, ...] = PAUSES_S) -> Inventory:
    """Every Windows instance of the regions that the filters let through.

    A region that cannot be listed fails the whole: part of a fleet must not
    pass for all of it.
    """
    keys = await asyncio.to_thread(find_keys, source.account)
    threads = Threads()
    work = (
        _list_region(Calls(source.account, region, keys, threads, pauses_s), source.filters)
        for region in source.regions
    )
    results = await asyncio.gather(*work, return_exceptions=True)
    listed = []
    for region, result in zip(source.regions, results, strict=True):
        if isinstance(result, ApiError):
            raise _not_listed(source, region, result) from result
        if isinstance(result, BaseException):
            raise result
        listed.append(result)
    return inventory_of(source, listed)


async def _list_region(calls: Calls, filters: Mapping[str, Sequence[str]]) -> Listed:
    """Instances, and the images that they were made from as far as they are listed."""
    instances, rows = await asyncio.gather(
        cvm.instances(calls, filters), cvm.images(calls, {"platform": ["Windows"]})
    )
    images = {row.image_id: row for row in rows}
    wanted = sorted({i.image_id for i in instances if i.image_id} - images.keys())
    # Some images are not listed, and yet known to whoever asks for them by name.
    looks = [
        cvm.images(calls, {"image-id": wanted[start : start + cvm.MAX_FILTER_VALUES]})
        for start in range(0, len(wanted), cvm.MAX_FILTER_VALUES)
    ]
    for more in await asyncio.gather(*looks):
        images.update({row.image_id: row for row in more})
    return Listed(calls.region, instances, images)


def _not_listed(source: Source, region: str, error: ApiError) -> ApiError | InputError:
    """What a person can mend is said as wrong input."""
    told = f"{region} cannot be listed: {error.message}"
    if error.again == "never":
        return InputError(told, error.hint, where=str(source))
    return ApiError(error.kind, f"{source}: {told}", error.hint, code=error.code)


def inventory_of(source: Source, listed: Sequence[Listed]) -> Inventory:
    """The servers among what regions have; ``InputError`` when there are none."""
    found = [
        _Found(part.region, instance)
        for part in listed
        for instance in part.instances
        if _is_windows(instance, part.images) and instance.instance_state not in _GONE
    ]
    total = sum(len(part.instances) for part in listed)
    notes = [f"{source}: {len(found)} of {total} instances are Windows servers"]
    reachable = [item for item in found if source.via == "tat" or _address(item)]
    if len(reachable) < len(found):
        notes.append(f"{len(found) - len(reachable)} have no private address and are left out")
    if not reachable:
        raise InputError("no Windows server is listed", "look at --from-filter", where=str(source))
    used = {item.instance.image_id for item in reachable}
    return Inventory(
        path=str(source),
        servers=_servers(source, reachable),
        images={
            name: _image(row)
            for part in listed
            for name, row in part.images.items()
            if name in used
        },
        notes=tuple(notes),
    )


def _is_windows(instance: Instance, images: Mapping[str, ImageRow]) -> bool:
    image = images.get(instance.image_id or "")
    told = (instance.os_name, image.platform if image else None, image.os_name if image else None)
    return any("windows" in (text or "").lower() for text in told)


def _servers(source: Source, found: Sequence[_Found]) -> tuple[Server, ...]:
    names = Counter(_name(item) for item in found)
    return tuple(_server(source, item, unique=names[_name(item)] == 1) for item in found)


def _server(source: Source, item: _Found, *, unique: bool) -> Server:
    instance = item.instance
    name = _name(item) if unique else instance.instance_id
    return Server(
        name=name or instance.instance_id,
        address=_reached(source.via, item),
        provider=PROVIDER,
        tags=_tags(item),
        account=source.account,
        image=instance.image_id or "",
        license=instance.license_type or "",
    )


def _reached(via: Via, item: _Found) -> Address:
    if via == "tat":
        return Address(scheme="tat", host=f"{item.region}/{item.instance.instance_id}")
    return Address(scheme=via, host=_address(item))


def _name(item: _Found) -> str:
    """As the console shows it; a name is looked for on the command line too."""
    return one_line(item.instance.instance_name or "", 80)


def _address(item: _Found) -> str:
    return next(iter(item.instance.private_ip_addresses or ()), "")


def _tags(item: _Found) -> tuple[str, ...]:
    """The instance's own tags, and where it is."""
    instance = item.instance
    own = [one_line(f"{tag.key}={tag.value}", 200) for tag in instance.tags or () if tag.key]
    zone = instance.placement.zone if instance.placement else None
    vpc = instance.virtual_private_cloud.vpc_id if instance.virtual_private_cloud else None
    places = (item.region, zone, vpc, instance.instance_id)
    return tuple(dict.fromkeys((*own, *(place for place in places if place))))


def _image(row: ImageRow) -> Image:
    return Image(
        type=row.image_type or "", source=row.image_source or "", license=row.license_type or ""
    )
