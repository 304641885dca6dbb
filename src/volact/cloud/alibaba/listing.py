"""ECS's list of instances as a ``ListServers``: which are Windows, and whose licence they use.

How servers are named and reached is for ``volact.inventory``; entitlement is
judged in ``volact.core``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from alibabacloud_ecs20140526 import models

from volact.cloud.alibaba.calls import Calls
from volact.cloud.alibaba.declaration import FILTERS
from volact.cloud.base import ListedInstance, ServerList
from volact.cloud.calls import Value, all_pages
from volact.errors import one_line

PAGE = 100
# An instance that is no server yet.
_GONE = frozenset({"Pending"})
SYSTEM = "system"  # the owner of the cloud's own images


class _Addresses(Value, frozen=True):
    ip_address: tuple[str, ...] = ()


class _Vpc(Value, frozen=True):
    vpc_id: str | None = None
    private_ip_address: _Addresses = _Addresses()


class _Tag(Value, frozen=True):
    tag_key: str | None = None
    tag_value: str | None = None


class _Tags(Value, frozen=True):
    tag: tuple[_Tag, ...] = ()


class Instance(Value, frozen=True):
    """One instance."""

    instance_id: str
    instance_name: str | None = None
    image_id: str | None = None
    os_type: str | None = msgspec.field(default=None, name="OSType")
    os_name_en: str | None = msgspec.field(default=None, name="OSNameEn")
    status: str | None = None
    zone_id: str | None = None
    vpc_attributes: _Vpc = _Vpc()
    tags: _Tags = _Tags()


class ImageRow(Value, frozen=True):
    """One image: who publishes it, and the licence that was chosen at its import."""

    image_id: str
    image_owner_alias: str | None = None
    license_type: str | None = None


class _InstanceSet(Value, frozen=True):
    instance: tuple[Instance, ...]  # also when it is empty: else it is no answer


class _Instances(Value, frozen=True):
    instances: _InstanceSet
    next_token: str | None = None


class _ImageSet(Value, frozen=True):
    image: tuple[ImageRow, ...]


class _Images(Value, frozen=True):
    images: _ImageSet
    total_count: int


class EcsList:
    """The list of one region; fulfils ``cloud.base.ListServers``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list_servers(self, filters: Mapping[str, Sequence[str]]) -> ServerList:
        """Every instance that the filters let through, and the licence of its image."""
        instances, images = await asyncio.gather(self._instances(filters), self._images())
        known = {image.image_id: image for image in images}
        region = self._calls.region
        return ServerList(tuple(listed(region, one, known) for one in instances), {})

    async def _instances(self, filters: Mapping[str, Sequence[str]]) -> tuple[Instance, ...]:
        asked: dict[str, Any] = {
            FILTERS[name]: values[0] for name, values in filters.items() if name in FILTERS
        }
        asked["tag"] = [
            models.DescribeInstancesRequestTag(key=name.removeprefix("tag:"), value=values[0])
            for name, values in filters.items()
            if name not in FILTERS
        ] or None

        async def page(token: str) -> _Instances:
            request = models.DescribeInstancesRequest(
                max_results=PAGE, next_token=token or None, **asked
            )
            return await self._calls.ask("describe_instances", request, _Instances, safe=True)

        return await all_pages(
            page, lambda p: p.instances.instance, lambda p, _count: p.next_token or None, ""
        )

    async def _images(self) -> tuple[ImageRow, ...]:
        """Images of Windows but those of the marketplace, which say nothing of a licence."""

        async def page(number: int) -> _Images:
            request = models.DescribeImagesRequest(
                ostype="windows",
                status="Available,Deprecated,UnAvailable",
                page_number=number,
                page_size=PAGE,
            )
            return await self._calls.ask("describe_images", request, _Images, safe=True)

        def following(page: _Images, count: int) -> int | None:
            more = page.images.image and count < page.total_count
            return count // PAGE + 1 if more else None

        return await all_pages(page, lambda p: p.images.image, following, 1)


def listed(region: str, instance: Instance, images: Mapping[str, ImageRow]) -> ListedInstance:
    """An instance in the terms of every cloud."""
    vpc = instance.vpc_attributes
    places = (region, instance.zone_id, vpc.vpc_id, instance.instance_id)
    tags = (tag for tag in instance.tags.tag if tag.tag_key)
    own = (one_line(f"{tag.tag_key}={tag.tag_value or ''}", 200) for tag in tags)
    return ListedInstance(
        id=instance.instance_id,
        # As the console shows it; a name can be a target, too.
        name=one_line(instance.instance_name or "", 80),
        place=f"{region}/{instance.instance_id}",
        is_windows="windows" in f"{instance.os_type} {instance.os_name_en}".lower(),
        exists=instance.status not in _GONE,
        private_address=next(iter(vpc.private_ip_address.ip_address), ""),
        image=instance.image_id or "",
        license=_license(images.get(instance.image_id or "")),
        tags=tuple(dict.fromkeys((*own, *(place for place in places if place)))),
    )


def _license(image: ImageRow | None) -> str:
    """The word of the licence: that chosen at the import, else that of the publisher."""
    if image is None:
        return ""
    if image.license_type in ("Aliyun", "BYOL"):
        return image.license_type
    return SYSTEM if image.image_owner_alias == SYSTEM else ""
