"""An account of Tencent Cloud as the operator names it; never its keys."""

from __future__ import annotations

from typing import Literal

from volact.model.server import AccountSettings

Site = Literal["domestic", "international"]


class TencentSettings(AccountSettings, frozen=True, kw_only=True):
    """Where the account's API is and where its keys are.

    ``TencentSettings()`` is the account that the SDK finds by itself.
    """

    site: Site = "domestic"
    endpoint: str = ""  # a URL instead of the site's own; ``{service}`` in it is filled in
    credentials: str = ""  # a file of keys; "" means where the SDK looks
    profile: str = ""  # a section of that file; "" means ``default``
