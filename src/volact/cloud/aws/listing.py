"""EC2's list of instances as a ``ListServers``: which are Windows, and whose licence they use.

How servers are named and reached is for ``volact.inventory``; entitlement is
judged in ``volact.core``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from volact.cloud.aws.calls import Calls, TokenPage
from volact.cloud.base import ListedInstance, ServerList
from volact.cloud.calls import Value
from volact.errors import one_line

PAGE = 250  # of at most 50 tags each: far within the bounds of an answer
# States of an instance that is no server yet, or none any more.
_GONE = frozenset({"pending", "shutting-down", "terminated"})


class _State(Value, frozen=True):
    name: str | None = None


class _Placement(Value, frozen=True):
    availability_zone: str | None = None


class _Tag(Value, frozen=True):
    key: str | None = None
    value: str | None = None


class Instance(Value, frozen=True):
    """One instance."""

    instance_id: str
    image_id: str | None = None
    platform: str | None = None
    platform_details: str | None = None
    usage_operation: str | None = None
    private_ip_address: str | None = None
    vpc_id: str | None = None
    state: _State | None = None
    placement: _Placement | None = None
    tags: tuple[_Tag, ...] = ()


class _Reservation(Value, frozen=True):
    instances: tuple[Instance, ...] = ()


class _Instances(TokenPage, frozen=True):
    reservations: tuple[_Reservation, ...]  # also when it is empty: else it is no answer


class Ec2List:
    """The list of one region; fulfils ``cloud.base.ListServers``."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list_servers(self, filters: Mapping[str, Sequence[str]]) -> ServerList:
        """Every instance that the filters let through.  Each tells its own licence."""
        wanted = [{"Name": name, "Values": list(values)} for name, values in filters.items()]
        asked = {"Filters": wanted, "MaxResults": PAGE}
        found = await self._calls.all_of(
            "ec2", "DescribeInstances", asked, _Instances, lambda p: p.reservations
        )
        region = self._calls.region
        return ServerList(
            tuple(listed(region, one) for part in found for one in part.instances), {}
        )


def listed(region: str, instance: Instance) -> ListedInstance:
    """An instance in the terms of every cloud."""
    tags = {tag.key: tag.value or "" for tag in instance.tags if tag.key}
    zone = instance.placement.availability_zone if instance.placement else None
    places = (region, zone, instance.vpc_id, instance.instance_id)
    own = (one_line(f"{key}={value}", 200) for key, value in tags.items())
    return ListedInstance(
        id=instance.instance_id,
        # As the console shows it; a name can be a target, too.
        name=one_line(tags.get("Name", ""), 80),
        place=f"{region}/{instance.instance_id}",
        is_windows="windows" in f"{instance.platform} {instance.platform_details}".lower(),
        exists=(instance.state.name if instance.state else None) not in _GONE,
        private_address=instance.private_ip_address or "",
        image=instance.image_id or "",
        license=instance.usage_operation or "",
        tags=tuple(dict.fromkeys((*own, *(place for place in places if place)))),
    )
