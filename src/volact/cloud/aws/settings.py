"""An account of AWS as the operator names it; never its keys."""

from __future__ import annotations

from volact.model.server import AccountSettings


class AwsSettings(AccountSettings, frozen=True, kw_only=True):
    """Where the account's API is and where its keys are.

    ``AwsSettings()`` is the account that the SDK finds by itself.
    """

    endpoint: str = ""  # a URL instead of the region's own; ``{service}`` in it is filled in
    credentials: str = ""  # a file of keys; "" means where the SDK looks
    profile: str = ""  # "" means that of AWS_PROFILE, else ``default``
