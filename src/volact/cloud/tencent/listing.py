"""CVM's list of instances as a ``ListServers``: which are Windows, and what their images are.

How servers are named and reached is for ``volact.inventory``; entitlement is
judged in ``volact.core``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from volact.cloud.base import ListedInstance, ServerList
from volact.cloud.batches import chunks
from volact.cloud.tencent import cvm
from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.cvm import ImageRow, Instance
from volact.cloud.tencent.declaration import MAX_FILTER_VALUES
from volact.errors import one_line
from volact.model.profile import Image

# States of an instance that is no server yet, or none any more.
_GONE = frozenset({"PENDING", "LAUNCH_FAILED", "SHUTDOWN", "TERMINATING"})


class CvmList:
    """The list of one region; fulfils ``cloud.base.ListServers``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list_servers(self, filters: Mapping[str, Sequence[str]]) -> ServerList:
        """Instances, and the images that they were made from as far as they are listed."""
        calls = self._calls
        instances, rows = await asyncio.gather(
            cvm.instances(calls, filters), cvm.images(calls, {"platform": ["Windows"]})
        )
        images = {row.image_id: row for row in rows}
        unknown = sorted({i.image_id for i in instances if i.image_id} - images.keys())
        # Some images are not listed, and yet known to a question for their ids.
        asked = (cvm.images(calls, {"image-id": ids}) for ids in chunks(unknown, MAX_FILTER_VALUES))
        for more in await asyncio.gather(*asked):
            images.update({row.image_id: row for row in more})
        return server_list(calls.region, instances, images)


def server_list(
    region: str, instances: Sequence[Instance], images: Mapping[str, ImageRow]
) -> ServerList:
    """What the API listed in one region, in the terms of every cloud."""
    return ServerList(
        tuple(_listed(region, instance, images) for instance in instances),
        {name: _image(row) for name, row in images.items()},
    )


def _listed(region: str, instance: Instance, images: Mapping[str, ImageRow]) -> ListedInstance:
    return ListedInstance(
        id=instance.instance_id,
        # As the console shows it; a name can be a target, too.
        name=one_line(instance.instance_name or "", 80),
        place=f"{region}/{instance.instance_id}",
        is_windows=_is_windows(instance, images),
        exists=instance.instance_state not in _GONE,
        private_address=next(iter(instance.private_ip_addresses or ()), ""),
        image=instance.image_id or "",
        license=instance.license_type or "",
        tags=_tags(region, instance),
    )


def _is_windows(instance: Instance, images: Mapping[str, ImageRow]) -> bool:
    image = images.get(instance.image_id or "")
    told = (instance.os_name, image.platform if image else None, image.os_name if image else None)
    return any("windows" in (text or "").lower() for text in told)


def _tags(region: str, instance: Instance) -> tuple[str, ...]:
    """The instance's own tags, and where it is."""
    own = [one_line(f"{tag.key}={tag.value}", 200) for tag in instance.tags or () if tag.key]
    zone = instance.placement.zone if instance.placement else None
    vpc = instance.virtual_private_cloud.vpc_id if instance.virtual_private_cloud else None
    places = (region, zone, vpc, instance.instance_id)
    return tuple(dict.fromkeys((*own, *(place for place in places if place))))


def _image(row: ImageRow) -> Image:
    return Image(
        type=row.image_type or "", source=row.image_source or "", license=row.license_type or ""
    )
