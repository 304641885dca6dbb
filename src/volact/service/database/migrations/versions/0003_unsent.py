"""What channels did not take of a schedule yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "service_unsent",
        sa.Column("schedule", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(128), nullable=False),
        sa.Column("what", sa.String(1024), server_default="", nullable=False),
        sa.Column("tried", sa.String(32)),
        sa.ForeignKeyConstraint(["schedule"], ["service_schedules.id"]),
        sa.PrimaryKeyConstraint("schedule", "kind", "channel"),
    )
