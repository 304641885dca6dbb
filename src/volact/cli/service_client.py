"""The client for ``--service``, for every verb that takes the option.

The token comes from the environment, a file or the keyring, never from the command line.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from volact.bounded.files import own_path
from volact.errors import InputError, unreadable
from volact.model.text import raw, say

if TYPE_CHECKING:
    from volact.client.client import Client


def client_of(url: str) -> Client:
    """The client for ``--service``; ``InputError`` where there is no token."""
    from volact.client.client import (  # noqa: PLC0415 - an HTTP client is slow to load
        Client,
        require_safe,
    )

    require_safe(url)
    token = os.environ.get("VOLACT_TOKEN", "").strip() or _of_file() or _of_keyring(url)
    if not token:
        raise InputError(
            say("there is no token for {url}", url=raw(url)),
            say("set VOLACT_TOKEN, or VOLACT_TOKEN_FILE to a file with it"),
        )
    if not re.fullmatch("[!-~]+", token):
        raise InputError(
            say("the token for {url} has characters that no token has", url=raw(url)),
            say("copy it again, without spaces or line breaks"),
        )
    return Client(url, token)


def _of_file() -> str:
    path = os.environ.get("VOLACT_TOKEN_FILE", "")
    if not path:
        return ""
    try:
        token = own_path(path).read_text("utf-8").split("\n", 1)[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        failed = error if isinstance(error, OSError) else OSError()
        raise unreadable(failed, path) from error
    if not token:
        raise InputError(say("the first line is empty"), say("write the token into it"), where=path)
    return token


def _of_keyring(url: str) -> str:
    try:
        import keyring.errors  # noqa: PLC0415 - an extra
    except ImportError:
        return ""
    try:
        return keyring.get_password("volact", url) or ""
    except keyring.errors.KeyringError:
        return ""
