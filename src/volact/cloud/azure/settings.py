"""An account of Azure as the operator names it; never its keys."""

from __future__ import annotations

from volact.model.server import AccountSettings


class AzureSettings(AccountSettings, frozen=True, kw_only=True):
    """Where the account's API is and where its keys are.

    ``AzureSettings()`` is the account that the SDK finds by itself.
    """

    endpoint: str = ""  # a URL instead of global Azure's
    credentials: str = ""  # a file of a service principal; "" means where the SDK looks
    authorities: str = ""  # a file of certificates that sign those of the endpoint
