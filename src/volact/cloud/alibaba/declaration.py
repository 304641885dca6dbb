"""What Alibaba Cloud declares of itself.  No SDK is imported here."""

from __future__ import annotations

from volact.cloud.base import AccountOption, Cloud, ListingSyntax, file_option
from volact.cloud.endpoint import endpoint_option
from volact.model.server import AccountSettings
from volact.model.text import say


class AlibabaSettings(AccountSettings, frozen=True, kw_only=True):
    """Where the account's API is and where its keys are.

    ``AlibabaSettings()`` is the account that the SDK finds by itself.
    """

    endpoint: str = ""  # a URL instead of the region's own
    credentials: str = ""  # a file of keys; "" means where the SDK looks
    profile: str = ""  # a section of the SDK's file; "" means ``default``


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
    variables="ALIBABA_CLOUD_",
    place=rf"{_REGION}/i-[a-z0-9]{{8,40}}",
    place_shown=say("a region and an instance"),
    place_example="cn-hangzhou/i-xxxxxxxxxxxxxxxxxxxx",
    unproven=say(
        "No real account has run this: that a sent file reaches the waiting script, that "
        "20 KB fit into one request, the words of LicenseType, and how many calls a second "
        "are taken."
    ),
    settings=AlibabaSettings,
    options=(
        endpoint_option("Alibaba Cloud's API, instead of the region's own."),
        file_option("credentials", "The file of Alibaba Cloud keys."),
        AccountOption(
            name="profile", help="A section of the file of Alibaba Cloud keys.", metavar="NAME"
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
