"""A server whose turn never came is not one that could not be reached.

A report that was written before is read with the new verdict (``store.encoding``).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Give rows and servers the verdict."""
    for name in ("rows", "servers"):
        table = sa.table(name, sa.column("verdict"), sa.column("error_kind"))
        of_these = table.c.error_kind == "not-begun"
        op.execute(sa.update(table).where(of_these).values(verdict="not-started"))
