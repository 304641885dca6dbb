"""What Azure declares of itself.  No SDK is imported here."""

from __future__ import annotations

from volact.cloud.base import Cloud, ListingSyntax, file_option
from volact.cloud.endpoint import endpoint_option
from volact.model.server import AccountSettings
from volact.model.text import say


class AzureSettings(AccountSettings, frozen=True, kw_only=True):
    """Where the account's API is and where its keys are.

    ``AzureSettings()`` is the account that the SDK finds by itself.
    """

    endpoint: str = ""  # a URL instead of global Azure's
    credentials: str = ""  # a file of a service principal; "" means where the SDK looks
    authorities: str = ""  # a file of certificates that sign those of the endpoint


_SUBSCRIPTION = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_GROUP = r"[-\w.()]{0,89}[-\w()]"
_EXAMPLE = "00000000-0000-0000-0000-000000000000"

CLOUD = Cloud(
    name="azure",
    title="Azure",
    extra="azure",
    module="volact.cloud.azure.account",
    scheme="azure",
    variables="AZURE_",
    place=rf"{_SUBSCRIPTION}/{_GROUP}/[A-Za-z0-9](?:[-\w.]{{0,62}}\w)?",
    place_shown=say("a subscription, a resource group and a virtual machine"),
    place_example=f"{_EXAMPLE}/group/vm",
    unproven=say(
        "No real account has run this: that the packed answer comes unbroken through Run Command, "
        "which script size it takes, and how many calls a second are taken."
    ),
    settings=AzureSettings,
    options=(
        endpoint_option("Azure's API, instead of that of global Azure."),
        file_option("credentials", "The JSON file of an Azure service principal."),
        file_option(
            "authorities", "Certificates to trust for Azure's API, instead of this machine's."
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
