"""The name of the account that volact runs under, which may have none, as in a container."""

from __future__ import annotations

import os

NAMELESS = "unknown"
_VARIABLES = ("LOGNAME", "USER", "LNAME", "USERNAME")  # that getpass reads


def account_name() -> str:
    """The account's name; ``""`` for one that has none."""
    import getpass  # noqa: PLC0415 - not for the version

    try:
        name = getpass.getuser()
    except (ImportError, KeyError, OSError):  # which one depends on the version of Python
        return ""
    return "" if name == NAMELESS else name


def ensure_account_name() -> None:
    """Set ``USER`` for an account without a name.

    Containers start processes for numbers that are in no list of accounts.  asyncssh asks for
    the name before every connection, also where it is not used, and fails without one.
    """
    if not any(map(os.environ.get, _VARIABLES)) and not account_name():
        os.environ["USER"] = NAMELESS
