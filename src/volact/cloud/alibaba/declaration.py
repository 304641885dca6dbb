"""What Alibaba Cloud declares of itself.  No SDK is imported here."""

from __future__ import annotations

from volact.cloud.alibaba.settings import AlibabaSettings
from volact.cloud.base import AccountOption, Cloud, ListingSyntax
from volact.cloud.endpoint import check_endpoint

# Parameters of DescribeInstances that choose servers, by the names of the SDK's fields.
FILTERS = {
    "ImageId": "image_id",
    "InstanceName": "instance_name",
    "InstanceType": "instance_type",
    "ResourceGroupId": "resource_group_id",
    "SecurityGroupId": "security_group_id",
    "Status": "status",
    "VSwitchId": "v_switch_id",
    "VpcId": "vpc_id",
    "ZoneId": "zone_id",
}
_REGION = r"[a-z]{2,}(?:-[a-z0-9]+)+"

CLOUD = Cloud(
    name="alibaba",
    title="Alibaba Cloud",
    extra="alibaba",
    module="volact.cloud.alibaba.account",
    scheme="ecs",
    place=rf"{_REGION}/i-[a-z0-9]{{8,40}}",
    place_shown="a region and an instance",
    place_example="cn-hangzhou/i-xxxxxxxxxxxxxxxxxxxx",
    unproven=(
        "No real account has run this: that a sent file reaches the waiting script, that "
        "20 KB fit into one request, the words of LicenseType, and how many calls a second "
        "are taken."
    ),
    settings=AlibabaSettings,
    options=(
        AccountOption(
            name="endpoint",
            help="Alibaba Cloud's API, instead of the region's own.",
            metavar="URL",
            check=check_endpoint,
        ),
        AccountOption(
            name="credentials",
            help="The file of Alibaba Cloud keys.",
            metavar="FILE",
            is_path=True,
        ),
        AccountOption(
            name="profile",
            help="A section of the file of Alibaba Cloud keys.",
            metavar="NAME",
        ),
    ),
    listing=ListingSyntax(
        scope="region",
        pattern=_REGION,
        example="cn-hangzhou",
        filters=tuple(FILTERS),
        filter_pattern=r"tag:.+",
        filter_pattern_shown="tag:KEY",
        filter_example="VpcId=vpc-xxxxxxxx",
        filter_values=1,
        filters_at_once=20,
    ),
)
