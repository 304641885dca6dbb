"""What AWS declares of itself.  No SDK is imported here."""

from __future__ import annotations

from volact.cloud.base import AccountOption, Cloud, ListingSyntax, file_option
from volact.cloud.endpoint import endpoint_option
from volact.model.server import AccountSettings
from volact.model.text import say


class AwsSettings(AccountSettings, frozen=True, kw_only=True):
    """Where the account's API is and where its keys are.

    ``AwsSettings()`` is the account that the SDK finds by itself.
    """

    endpoint: str = ""  # a URL instead of the region's own; ``{service}`` in it is filled in
    credentials: str = ""  # a file of keys; "" means where the SDK looks
    profile: str = ""  # "" means that of AWS_PROFILE, else ``default``


# Filters of DescribeInstances that choose servers.
FILTERS = (
    *("availability-zone", "dns-name", "host-id", "image-id", "instance-id", "instance-lifecycle"),
    *("instance-state-name", "instance-type", "ip-address", "key-name", "launch-time"),
    *("network-interface.vpc-id", "owner-id", "placement-group-name", "platform-details"),
    *("private-dns-name", "private-ip-address", "reservation-id", "subnet-id", "tag-key"),
    *("tenancy", "usage-operation", "vpc-id", "instance.group-id", "instance.group-name"),
)
_REGION = r"[a-z]{2,}(?:-[a-z0-9]+)+"

CLOUD = Cloud(
    name="aws",
    title="AWS",
    extra="aws",
    module="volact.cloud.aws.account",
    scheme="ssm",
    variables="AWS_",
    place=rf"{_REGION}/i-(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})",
    place_shown=say("a region and an instance"),
    place_example="eu-west-1/i-xxxxxxxxxxxxxxxxx",
    unproven=say(
        "No real account has run this: that an answer comes unbroken through "
        "AWS-RunPowerShellScript, how a long output is cut, and how many calls a second are taken."
    ),
    settings=AwsSettings,
    options=(
        endpoint_option("AWS's API, instead of the region's own."),
        file_option("credentials", "The file of AWS keys."),
        AccountOption(name="profile", help="A profile of AWS's own files.", metavar="NAME"),
    ),
    listing=ListingSyntax(
        scope="region",
        pattern=_REGION,
        example="eu-west-1",
        filters=FILTERS,
        filter_pattern=r"tag:.+",
        filter_pattern_shown="tag:KEY",
        filter_example="vpc-id=vpc-xxxxxxxx",
        filter_values=200,
        filters_at_once=50,
    ),
)
