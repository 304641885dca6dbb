"""When an accepted finding counts again that keeps a server healthy, and which it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; no older row has an accepted finding."""
    op.add_column("servers", sa.Column("lapses", sa.String(32)))
    op.add_column(
        "servers", sa.Column("lapse_cause", sa.String(255), nullable=False, server_default="")
    )
