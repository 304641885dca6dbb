"""CVM: instances and images as the API lists them.

``listing`` decides which of them are servers to be probed, and what they are
entitled to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from volact.cloud.calls import Value
from volact.cloud.tencent.calls import PAGE, Calls, CountedPage, filters_of


class Tag(Value, frozen=True):
    """A tag of an instance."""

    key: str | None = None
    value: str | None = None


class Placement(Value, frozen=True):
    """Where an instance is."""

    zone: str | None = None


class Vpc(Value, frozen=True):
    """The network of an instance."""

    vpc_id: str | None = None


class Instance(Value, frozen=True):
    """One instance."""

    instance_id: str
    instance_name: str | None = None
    image_id: str | None = None
    os_name: str | None = None
    instance_state: str | None = None
    license_type: str | None = None
    private_ip_addresses: tuple[str, ...] | None = None
    placement: Placement | None = None
    virtual_private_cloud: Vpc | None = None
    tags: tuple[Tag, ...] | None = None


class ImageRow(Value, frozen=True):
    """One image."""

    image_id: str
    image_type: str | None = None
    image_source: str | None = None
    license_type: str | None = None
    platform: str | None = None
    os_name: str | None = None


class _Instances(CountedPage, frozen=True):
    instance_set: tuple[Instance, ...] | None = None


class _Images(CountedPage, frozen=True):
    image_set: tuple[ImageRow, ...] | None = None


async def states(calls: Calls, instances: Sequence[str]) -> dict[str, str]:
    """The state of each of at most 100 instances."""
    asked = {"InstanceIds": list(instances), "Limit": PAGE}
    answer = await calls.ask("cvm", "DescribeInstances", asked, _Instances, safe=True)
    return {item.instance_id: item.instance_state or "" for item in answer.instance_set or ()}


async def instances(calls: Calls, filters: Mapping[str, Sequence[str]]) -> tuple[Instance, ...]:
    """Every instance that the filters let through."""
    asked = {"Filters": filters_of(filters)}
    return await calls.all_of(
        "cvm", "DescribeInstances", asked, _Instances, lambda p: p.instance_set or ()
    )


async def images(calls: Calls, filters: Mapping[str, Sequence[str]]) -> tuple[ImageRow, ...]:
    """Every image that the filters let through."""
    asked = {"Filters": filters_of(filters)}
    return await calls.all_of("cvm", "DescribeImages", asked, _Images, lambda p: p.image_set or ())
