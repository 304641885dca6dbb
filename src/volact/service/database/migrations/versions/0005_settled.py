"""When a schedule's next run was worked out, so that one by a clock which was ahead is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; of the schedules until now that is not known."""
    op.add_column("service_schedules", sa.Column("settled", sa.String(32)))
