"""The first tables of the service."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Sorted alike in every database, in any language.
NAME = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
BY_SCHEDULE = sa.text("schedule <> ''")
METADATA = sa.MetaData()  # as these tables were in this version

sa.Table(
    "service_answers",
    METADATA,
    sa.Column("key", sa.String(255), nullable=False),
    sa.Column("user", sa.String(64), nullable=False),
    sa.Column("request", sa.String(64), server_default="", nullable=False),
    sa.Column("status", sa.Integer()),
    sa.Column("body", sa.LargeBinary()),
    sa.Column("at", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("key", "user"),
)
sa.Table(
    "service_attempts",
    METADATA,
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
    sa.Column("locked_until", sa.String(32)),
    sa.Column("at", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("key"),
)
sa.Table(
    "service_audit",
    METADATA,
    sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("user", sa.String(255), server_default="", nullable=False),
    sa.Column("via", sa.String(32), server_default="", nullable=False),
    sa.Column("address", sa.String(255), server_default="", nullable=False),
    sa.Column("action", sa.String(64), server_default="", nullable=False),
    sa.Column("object", sa.String(255), server_default="", nullable=False),
    sa.Column("detail", sa.Text(), server_default="{}", nullable=False),
    sa.Column("approved_by", sa.String(255), server_default="", nullable=False),
    sa.Column("hash", sa.String(64), server_default="", nullable=False),
    sa.PrimaryKeyConstraint("position"),
    sa.Index("ix_service_audit_action", "action", "position"),
    sa.Index("ix_service_audit_user", "user", "position"),
)
sa.Table(
    "service_audit_head",
    METADATA,
    sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
    sa.Column("position", sa.Integer(), server_default="0", nullable=False),
    sa.Column("hash", sa.String(64), server_default="", nullable=False),
    sa.PrimaryKeyConstraint("id"),
)
sa.Table(
    "service_inventories",
    METADATA,
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("file", sa.String(255), server_default="", nullable=False),
    sa.Column("text", sa.Text(), server_default="", nullable=False),
    sa.Column("source", sa.String(255), server_default="", nullable=False),
    sa.Column("filters", sa.Text(), server_default="[]", nullable=False),
    sa.Column("servers", sa.Integer(), server_default="0", nullable=False),
    sa.Column("mistakes", sa.Text(), server_default="[]", nullable=False),
    sa.Column("updated_by", sa.String(255), server_default="", nullable=False),
    sa.Column("updated", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("name"),
)
sa.Table(
    "service_policies",
    METADATA,
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("value", sa.Text(), server_default="", nullable=False),
    sa.Column("updated_by", sa.String(255), server_default="", nullable=False),
    sa.Column("updated", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("name"),
)
sa.Table(
    "service_runs",
    METADATA,
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("state", sa.String(32), server_default="", nullable=False),
    sa.Column("spec", sa.Text(), server_default="", nullable=False),
    sa.Column("servers", sa.Integer(), server_default="0", nullable=False),
    sa.Column("done", sa.Integer(), server_default="0", nullable=False),
    sa.Column("counts", sa.Text(), server_default="{}", nullable=False),
    sa.Column("note", sa.String(1024), server_default="", nullable=False),
    sa.Column("attempt", sa.Integer(), server_default="1", nullable=False),
    sa.Column("counted_from", sa.Integer(), server_default="1", nullable=False),
    sa.Column("pace_slot", sa.BigInteger()),
    sa.Column("requested_by", sa.String(255), server_default="", nullable=False),
    sa.Column("approved_by", sa.String(255), server_default="", nullable=False),
    sa.Column("schedule", sa.String(64), server_default="", nullable=False),
    sa.Column("requested", sa.String(32), nullable=False),
    sa.Column("approved", sa.String(32)),
    sa.Column("begun", sa.String(32)),
    sa.Column("ended", sa.String(32)),
    sa.PrimaryKeyConstraint("id"),
    sa.Index("ix_service_runs_requested", "requested"),
    sa.Index("ix_service_runs_state", "state", "requested"),
    sa.Index(
        "ux_service_runs_schedule",
        "schedule",
        unique=True,
        sqlite_where=BY_SCHEDULE,
        postgresql_where=BY_SCHEDULE,
    ),
)
sa.Table(
    "service_schedules",
    METADATA,
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("spec", sa.Text(), server_default="", nullable=False),
    sa.Column("enabled", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column("next", sa.String(32)),
    sa.Column("last", sa.String(32)),
    sa.Column("last_run", sa.String(64), server_default="", nullable=False),
    sa.Column("claimed", sa.String(32)),
    sa.Column("note", sa.String(1024), server_default="", nullable=False),
    sa.Column("told_run", sa.String(64), server_default="", nullable=False),
    sa.Column("told", sa.String(32)),
    sa.Column("owner", sa.String(255), server_default="", nullable=False),
    sa.Column("updated", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("id"),
    sa.UniqueConstraint("name"),
)
sa.Table(
    "service_slots",
    METADATA,
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
    sa.Column("worker", sa.String(64), server_default="", nullable=False),
    sa.Column("holder", sa.String(512), server_default="", nullable=False),
    sa.PrimaryKeyConstraint("host", "number"),
)
sa.Table(
    "service_tasks",
    METADATA,
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("name"),
)
sa.Table(
    "service_users",
    METADATA,
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("email", sa.String(255), server_default="", nullable=False),
    sa.Column("role", sa.String(16), server_default="", nullable=False),
    sa.Column("scopes", sa.Text(), server_default="null", nullable=False),
    sa.Column("password", sa.String(255)),
    sa.Column("subject", sa.String(512)),
    sa.Column("language", sa.String(16), server_default="", nullable=False),
    sa.Column("disabled", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("signed_in", sa.String(32)),
    sa.PrimaryKeyConstraint("id"),
    sa.UniqueConstraint("name"),
    sa.UniqueConstraint("subject"),
)
sa.Table(
    "service_views",
    METADATA,
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(255), server_default="", nullable=False),
    sa.Column("user", sa.String(64), nullable=False),
    sa.Column("shared", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column("filter", sa.Text(), server_default="{}", nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("id"),
)
sa.Table(
    "service_workers",
    METADATA,
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("host", sa.String(255), server_default="", nullable=False),
    sa.Column("labels", sa.Text(), server_default="[]", nullable=False),
    sa.Column("started", sa.String(32), nullable=False),
    sa.Column("seen", sa.String(32), nullable=False),
    sa.Column("beat", sa.Integer(), server_default="0", nullable=False),
    sa.PrimaryKeyConstraint("id"),
)
sa.Table(
    "service_links",
    METADATA,
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("user", sa.String(64), nullable=False),
    sa.Column("expires", sa.String(32), nullable=False),
    sa.ForeignKeyConstraint(
        ["user"],
        ["service_users.id"],
    ),
    sa.PrimaryKeyConstraint("hash"),
)
sa.Table(
    "service_run_servers",
    METADATA,
    sa.Column("run", sa.String(64), nullable=False),
    sa.Column("server", NAME, nullable=False),
    sa.Column("position", sa.Integer(), server_default="0", nullable=False),
    sa.Column("canary", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column("label", sa.String(255), server_default="", nullable=False),
    sa.Column("verdict", sa.String(16), server_default="", nullable=False),
    sa.Column("failed", sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
    sa.Column("claimed_by", sa.String(255), server_default="", nullable=False),
    sa.ForeignKeyConstraint(
        ["run"],
        ["service_runs.id"],
    ),
    sa.PrimaryKeyConstraint("run", "server"),
    sa.Index("ix_service_run_servers_verdict", "run", "verdict"),
)
sa.Table(
    "service_sessions",
    METADATA,
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("id", sa.String(64), server_default="", nullable=False),
    sa.Column("via", sa.String(16), server_default="session", nullable=False),
    sa.Column("user", sa.String(64), nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("seen", sa.String(32), nullable=False),
    sa.Column("expires", sa.String(32), nullable=False),
    sa.Column("address", sa.String(255), server_default="", nullable=False),
    sa.Column("agent", sa.String(255), server_default="", nullable=False),
    sa.ForeignKeyConstraint(
        ["user"],
        ["service_users.id"],
    ),
    sa.PrimaryKeyConstraint("hash"),
    sa.Index("ix_service_sessions_user", "user"),
)
sa.Table(
    "service_tokens",
    METADATA,
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("user", sa.String(64), nullable=False),
    sa.Column("name", sa.String(255), server_default="", nullable=False),
    sa.Column("role", sa.String(16), server_default="", nullable=False),
    sa.Column("scopes", sa.Text(), server_default="null", nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("expires", sa.String(32), nullable=False),
    sa.Column("used", sa.String(32)),
    sa.ForeignKeyConstraint(
        ["user"],
        ["service_users.id"],
    ),
    sa.PrimaryKeyConstraint("id"),
    sa.UniqueConstraint("hash"),
    sa.Index("ix_service_tokens_user", "user"),
)


def upgrade() -> None:
    """Make every table."""
    METADATA.create_all(op.get_bind())
