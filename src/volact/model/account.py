"""A cloud account as the person names it: where its API is, where its keys are.

Never the keys: ``volact.cloud`` finds them when the first call is made.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Site = Literal["domestic", "international"]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account of Tencent Cloud; ``Account()`` is what its SDK finds by itself."""

    site: Site = "domestic"
    endpoint: str = ""  # a URL instead of the site's own; ``{service}`` in it is filled in
    credentials: str = ""  # a file of keys; "" means where the SDK looks
    profile: str = ""  # a section of that file; "" means ``default``
