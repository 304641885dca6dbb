"""The first tables of the service."""

from __future__ import annotations

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing: a database of this version has its tables, and a new one is made as it is now."""
