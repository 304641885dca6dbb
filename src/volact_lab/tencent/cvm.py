"""The actions of CVM, version 2017-03-12, as far as listing goes."""

from __future__ import annotations

import re

from volact_lab.instances.estate import Estate, Instance
from volact_lab.instances.faults import ApiFault
from volact_lab.tencent.action import Action, Answer, Caller
from volact_lab.tencent.images import Image, images
from volact_lab.tencent.parameters import Parameters

VERSION = "2017-03-12"
MAX_IDS = 100
_INSTANCE_FILTERS = (
    *("zone", "project-id", "vpc-id", "subnet-id", "instance-id", "instance-name"),
    *("instance-state", "private-ip-address", "tag-key", "tag-value", "tag:"),
)
_IMAGE_FILTERS = ("image-id", "image-type", "image-name", "platform", "tag-key", "tag:")


class Cvm:
    """Lists the instances of an estate, and the images."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self.actions: dict[str, Action] = {
            "DescribeInstances": self._instances,
            "DescribeImages": self._images,
        }

    def _instances(self, asked: Parameters, caller: Caller) -> Answer:
        ids = asked.words("InstanceIds", MAX_IDS, "InvalidParameterValue.LimitExceeded")
        filters = asked.filters(_INSTANCE_FILTERS)
        if ids and filters:
            raise ApiFault("InvalidParameter", "`InstanceIds` and `Filters` are both given.")
        for instance_id in ids:
            if not re.fullmatch(r"ins-[a-z0-9]+", instance_id):
                raise ApiFault("InvalidInstanceId.Malformed", f"`{instance_id}` is malformed.")
            if self._estate.region_of(instance_id) != caller.region:
                raise ApiFault("InvalidInstanceId.NotFound", f"`{instance_id}` does not exist.")
        rows = [
            _instance_row(instance)
            for instance in self._estate.in_region(caller.region, ids)
            if instance.kind == "ins"
            and all(_fits(instance, name, values) for name, values in filters.items())
        ]
        page = asked.page(rows)
        asked.done()
        return {"InstanceSet": page, "TotalCount": len(rows)}

    def _images(self, asked: Parameters, caller: Caller) -> Answer:
        filters = asked.filters(_IMAGE_FILTERS)
        rows = [
            _image_row(image)
            for image in images()
            if all(_image_fits(image, name, values) for name, values in filters.items())
        ]
        page = asked.page(rows)
        asked.done()
        return {"ImageSet": page, "TotalCount": len(rows)}


def _fits(instance: Instance, name: str, values: list[str]) -> bool:
    if name.startswith("tag:"):
        return instance.tags.get(name.removeprefix("tag:")) in values
    if name == "tag-key":
        return bool(set(instance.tags) & set(values))
    if name == "tag-value":
        return bool(set(instance.tags.values()) & set(values))
    own = {
        "zone": f"{instance.region}-1",
        "project-id": "0",
        "vpc-id": instance.vpc,
        "subnet-id": instance.vpc.replace("vpc", "subnet"),
        "instance-id": instance.id,
        "instance-name": instance.name,
        "instance-state": instance.state,
        "private-ip-address": instance.address,
    }
    return own[name] in values


def _image_fits(image: Image, name: str, values: list[str]) -> bool:
    own = {"image-id": image.id, "image-type": image.type}
    if name in own:
        return own[name] in values
    text = {"platform": image.platform, "image-name": image.os_name}.get(name, "")
    return any(value.lower() in text.lower() for value in values)


def _instance_row(instance: Instance) -> Answer:
    return {
        "InstanceId": instance.id,
        "InstanceName": instance.name,
        "InstanceState": instance.state,
        "RestrictState": "NORMAL",
        "ImageId": instance.image,
        "OsName": instance.os_name,
        "LicenseType": instance.license,
        "PrivateIpAddresses": [instance.address],
        "PublicIpAddresses": None,
        "Placement": {"Zone": f"{instance.region}-1", "ProjectId": 0},
        "VirtualPrivateCloud": {
            "VpcId": instance.vpc,
            "SubnetId": instance.vpc.replace("vpc", "subnet"),
        },
        "Tags": [{"Key": key, "Value": value} for key, value in instance.tags.items()],
    }


def _image_row(image: Image) -> Answer:
    return {
        "ImageId": image.id,
        "ImageName": image.os_name,
        "OsName": image.os_name,
        "ImageType": image.type,
        "ImageSource": image.source,
        "LicenseType": image.license or None,
        "Platform": image.platform,
        "Architecture": "x86_64",
        "ImageState": "NORMAL",
    }
