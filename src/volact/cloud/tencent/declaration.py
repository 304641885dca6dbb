"""What Tencent Cloud declares of itself, and where its API is.  No SDK is imported here.

Each service has a host of its own, in two sites: ``tat.tencentcloudapi.com`` and
``tat.intl.tencentcloudapi.com``.  A finance region has its own beside these.
"""

from __future__ import annotations

from typing import Literal, get_args

from volact.cloud.base import AccountOption, Cloud, ListingSyntax, file_option
from volact.cloud.endpoint import Endpoint, endpoint_option, read_endpoint
from volact.model.server import AccountSettings
from volact.model.text import say

Site = Literal["domestic", "international"]


class TencentSettings(AccountSettings, frozen=True, kw_only=True):
    """Where the account's API is and where its keys are.

    ``TencentSettings()`` is the account that the SDK finds by itself.
    """

    site: Site = "domestic"
    endpoint: str = ""  # a URL instead of the site's own; ``{service}`` in it is filled in
    credentials: str = ""  # a file of keys; "" means where the SDK looks
    profile: str = ""  # a section of that file; "" means ``default``


# Filters of DescribeInstances.
FILTERS = (
    *("zone", "project-id", "host-id", "dedicated-cluster-id", "vpc-id", "subnet-id"),
    *("instance-id", "uuid", "security-group-id", "instance-name", "instance-charge-type"),
    *("instance-state", "private-ip-address", "public-ip-address", "ipv6-address"),
    *("tag-key", "tag-value", "creation-start-time", "creation-end-time"),
)
MAX_FILTERS = 10
MAX_FILTER_VALUES = 5

_REGION = r"[a-z]{2,}(?:-[a-z0-9]+)+"


CLOUD = Cloud(
    name="tencent",
    title="Tencent Cloud",
    extra="tencent",
    module="volact.cloud.tencent.account",
    scheme="tat",
    variables="TENCENTCLOUD_",
    place=rf"{_REGION}/[a-z]+-[a-z0-9]+",
    place_shown=say("a region and an instance"),
    place_example="ap-jakarta/ins-xxxxxxxx",
    unproven=say(
        "No real account has confirmed that an instance without an agent is missing from "
        "DescribeAutomationAgentStatus, which statuses are final, and that calls turned away "
        "for their rate have begun nothing."
    ),
    settings=TencentSettings,
    options=(
        AccountOption(
            name="site",
            help="Which of Tencent Cloud's sites the account is of.",
            choices=get_args(Site),
        ),
        endpoint_option("Tencent Cloud's API, instead of the site's own."),
        file_option("credentials", "The file of Tencent Cloud keys."),
        AccountOption(
            name="profile", help="A section of the file of Tencent Cloud keys.", metavar="NAME"
        ),
    ),
    listing=ListingSyntax(
        scope="region",
        pattern=_REGION,
        example="ap-jakarta",
        filters=FILTERS,
        filter_pattern=r"tag:.+",
        filter_pattern_shown="tag:KEY",
        filter_example="vpc-id=vpc-xxxxxxxx",
        filter_values=MAX_FILTER_VALUES,
        filters_at_once=MAX_FILTERS,
    ),
)


Service = Literal["tat", "cvm", "sts"]

_DOMAINS: dict[Site, str] = {
    "domestic": "tencentcloudapi.com",
    "international": "intl.tencentcloudapi.com",
}


def endpoint_of(account: TencentSettings, service: Service, region: str = "") -> Endpoint:
    """The endpoint of a service; ``InputError`` for a URL that is not one.

    Finance regions are isolated from all others, and of both sites the domain without ``intl``
    (https://www.tencentcloud.com/document/api/1147/46679, .../zh/document/api/1021/34191).
    """
    domain = _DOMAINS[account.site]
    if region.endswith("-fsi"):
        domain = f"{region}.{_DOMAINS['domestic']}"
    return read_endpoint(account.endpoint or f"{service}.{domain}", service)
