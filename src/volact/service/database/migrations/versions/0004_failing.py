"""Whether a schedule's note says why its run could not start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; every note until now says so."""
    failing = sa.Column("failing", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("service_schedules", failing)
    op.execute("UPDATE service_schedules SET failing = (note <> '')")
