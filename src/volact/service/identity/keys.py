"""Random keys of sessions, links and tokens; the database has their hashes alone."""

from __future__ import annotations

import hashlib
import secrets


def new_key() -> str:
    """256 random bits, for cookies and URLs."""
    return secrets.token_urlsafe(32)


def new_id() -> str:
    """A name for something that is no secret."""
    return secrets.token_hex(8)


def key_hash(key: str) -> str:
    """What is stored of a key.  A fast hash does: there is nothing to guess."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
