"""An account of Alibaba Cloud as the operator names it; never its keys."""

from __future__ import annotations

from volact.model.server import AccountSettings


class AlibabaSettings(AccountSettings, frozen=True, kw_only=True):
    """Where the account's API is and where its keys are.

    ``AlibabaSettings()`` is the account that the SDK finds by itself.
    """

    endpoint: str = ""  # a URL instead of the region's own
    credentials: str = ""  # a file of keys; "" means where the SDK looks
    profile: str = ""  # a section of the SDK's file; "" means ``default``
