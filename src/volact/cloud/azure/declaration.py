"""What Azure declares of itself.  No SDK is imported here."""

from __future__ import annotations

from volact.cloud.azure.settings import AzureSettings
from volact.cloud.base import AccountOption, Cloud, ListingSyntax
from volact.cloud.endpoint import check_endpoint
from volact.model.text import say

_SUBSCRIPTION = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_GROUP = r"[-\w.()]{0,89}[-\w()]"
_EXAMPLE = "00000000-0000-0000-0000-000000000000"

CLOUD = Cloud(
    name="azure",
    title="Azure",
    extra="azure",
    module="volact.cloud.azure.account",
    scheme="azure",
    place=rf"{_SUBSCRIPTION}/{_GROUP}/[A-Za-z0-9](?:[-\w.]{{0,62}}\w)?",
    place_shown=say("a subscription, a resource group and a virtual machine"),
    place_example=f"{_EXAMPLE}/group/vm",
    unproven=(
        "No real account has run this: that the packed answer comes unbroken through Run Command, "
        "which script size it takes, and how many calls a second are taken."
    ),
    settings=AzureSettings,
    options=(
        AccountOption(
            name="endpoint",
            help="Azure's API, instead of that of global Azure.",
            metavar="URL",
            check=check_endpoint,
        ),
        AccountOption(
            name="credentials",
            help="The JSON file of an Azure service principal.",
            metavar="FILE",
            is_path=True,
        ),
        AccountOption(
            name="authorities",
            help="Certificates to trust for Azure's API, instead of this machine's.",
            metavar="FILE",
            is_path=True,
        ),
    ),
    listing=ListingSyntax(
        scope="subscription",
        pattern=rf"{_SUBSCRIPTION}(?:/{_GROUP})?",
        example=_EXAMPLE,
        filters=("location", "name", "resource-group", "size", "zone"),
        filter_pattern=r"tag:.+",
        filter_pattern_shown="tag:KEY",
        filter_example="location=westeurope",
        filter_values=50,
        filters_at_once=20,
    ),
)
