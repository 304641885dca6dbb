"""Which version of the engine a worker has; those that have started before have 2."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    engine = sa.Column("engine", sa.Integer, nullable=False, server_default="2")
    op.add_column("service_workers", engine)
