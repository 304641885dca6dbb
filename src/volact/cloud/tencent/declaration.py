"""What Tencent Cloud declares of itself.  No SDK is imported here."""

from __future__ import annotations

from typing import get_args

from volact.cloud.base import AccountOption, Cloud, ListingSyntax
from volact.cloud.endpoint import check_endpoint
from volact.cloud.tencent.settings import Site, TencentSettings
from volact.model.text import say

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
    place=rf"{_REGION}/[a-z]+-[a-z0-9]+",
    place_shown=say("a region and an instance"),
    place_example="ap-jakarta/ins-xxxxxxxx",
    unproven=(
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
        AccountOption(
            name="endpoint",
            help="Tencent Cloud's API, instead of the site's own.",
            metavar="URL",
            check=check_endpoint,
        ),
        AccountOption(
            name="credentials",
            help="The file of Tencent Cloud keys.",
            metavar="FILE",
            is_path=True,
        ),
        AccountOption(
            name="profile",
            help="A section of the file of Tencent Cloud keys.",
            metavar="NAME",
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
