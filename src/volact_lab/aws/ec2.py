"""DescribeInstances of EC2, version 2016-11-15: a form in, XML out."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree

from volact_lab.aws.estate import BYOL, LINUX
from volact_lab.aws.signature import Signed
from volact_lab.instances.estate import Estate, Instance
from volact_lab.instances.faults import ApiFault

VERSION = "2016-11-15"
_NAMESPACE = f"http://ec2.amazonaws.com/doc/{VERSION}/"
_PLATFORMS = {BYOL: "Windows BYOL", LINUX: "Linux/UNIX"}
Tree = dict[str, "str | Tree | list[Tree]"]


class Ec2:
    """Lists the instances of an estate, at most ``most`` on a page."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self.most = 1000

    def describe_instances(self, asked: Mapping[str, str], caller: Signed) -> bytes:
        """A page of instances as XML; each is a reservation of its own."""
        known = {"Action", "Version", "MaxResults", "NextToken"}
        filters = _filters({name: v for name, v in asked.items() if name not in known})
        rows = [
            instance
            for instance in self._estate.in_region(caller.region)
            if all(_fits(instance, name, values) for name, values in filters.items())
        ]
        size, start = int(asked.get("MaxResults", "1000")), int(asked.get("NextToken", "0"))
        if not 5 <= size <= 1000:
            raise ApiFault("InvalidParameterValue", "MaxResults is out of range.")
        size = min(size, self.most)
        page = rows[start : start + size]
        more: Tree = {"nextToken": str(start + size)} if start + size < len(rows) else {}
        items: list[Tree] = [{"instancesSet": [_row(instance)]} for instance in page]
        return xml("DescribeInstancesResponse", {"reservationSet": items, **more})


def _filters(asked: Mapping[str, str]) -> dict[str, list[str]]:
    """``Filter.N.Name`` and ``Filter.N.Value.M``."""
    names: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in asked.items():
        match name.split("."):
            case ["Filter", number, "Name"]:
                names[number] = value
            case ["Filter", number, "Value", _]:
                values.setdefault(number, []).append(value)
            case _:
                raise ApiFault("UnknownParameter", f"The parameter {name} is not recognized")
    if len(names) > 50 or any(len(some) > 200 for some in values.values()):
        raise ApiFault("FilterLimitExceeded", "There are too many filters or values.")
    return {name: values.get(number, []) for number, name in names.items()}


def _fits(instance: Instance, name: str, values: list[str]) -> bool:
    if name.startswith("tag:"):
        return instance.tags.get(name.removeprefix("tag:")) in values
    own = {
        "instance-id": instance.id,
        "vpc-id": instance.vpc,
        "instance-state-name": instance.state.lower(),
        "usage-operation": instance.license,
        "private-ip-address": instance.address,
        "availability-zone": f"{instance.region}a",
    }
    if name not in own:
        raise ApiFault("InvalidParameterValue", f"The filter '{name}' is invalid")
    return own[name] in values


def _row(instance: Instance) -> Tree:
    windows: Tree = {"platform": "windows"} if instance.environment == "Windows" else {}
    return {
        "instanceId": instance.id,
        "imageId": instance.image,
        "instanceState": {"code": "16", "name": instance.state.lower()},
        "placement": {"availabilityZone": f"{instance.region}a", "tenancy": "default"},
        "privateIpAddress": instance.address,
        "vpcId": instance.vpc,
        **windows,
        "platformDetails": _PLATFORMS.get(instance.license, "Windows"),
        "usageOperation": instance.license,
        "tagSet": [{"key": key, "value": value} for key, value in instance.tags.items()],
    }


def xml(name: str, tree: Tree) -> bytes:
    """An answer of the API."""
    root = ElementTree.Element(name, xmlns=_NAMESPACE)
    _fill(root, {"requestId": "59dbff89-35bd-4eac-99ed-be587EXAMPLE", **tree})
    said: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return said


def _fill(parent: ElementTree.Element, tree: Tree) -> None:
    for name, value in tree.items():
        child = ElementTree.SubElement(parent, name)
        if isinstance(value, str):
            child.text = value
        elif isinstance(value, dict):
            _fill(child, value)
        else:
            for item in value:
                _fill(ElementTree.SubElement(child, "item"), item)
