"""A cloud account as the operator names it: where its API is, where its keys are.

Never the keys: ``volact.cloud`` finds them when the first call is made.
"""

from __future__ import annotations

import msgspec


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the settings that each cloud declares for its accounts.

    ``AccountSettings()`` itself names nothing: the account is the one that the
    cloud's own tools would find.
    """
