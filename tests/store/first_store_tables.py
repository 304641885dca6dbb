"""The store's tables as its first version made them; migrations raise them from there."""

from __future__ import annotations

import sqlalchemy as sa

_NAME = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
METADATA = sa.MetaData()

sa.Table(
    "runs",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("begun", sa.String(32), nullable=False),
    sa.Column("command", sa.String(32), nullable=False),
    sa.Column("started", sa.String(32), nullable=False),
    sa.Column("volact", sa.String(64), nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("finished", sa.Boolean, nullable=False),
    sa.Column("pruned", sa.Boolean, nullable=False),
    sa.Column("elapsed_s", sa.Float),
    sa.Column("summary", sa.Text),  # JSON; null until the end
    sa.Column("closing", sa.LargeBinary),  # the run's report without its servers
    sa.Index("ix_runs_begun", "begun"),
)
sa.Table(
    "servers",
    METADATA,
    sa.Column("name", _NAME, primary_key=True),
    sa.Column("address", sa.String(255), nullable=False),
    sa.Column("first_seen", sa.String(32), nullable=False),
    sa.Column("last_seen", sa.String(32), nullable=False),
    sa.Column("last_run", sa.String(64), nullable=False),
    sa.Column("examined_at", sa.String(32)),
    sa.Column("examined_run", sa.String(64)),
)
sa.Table(
    "rows",
    METADATA,
    sa.Column("run", sa.String(64), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("server", _NAME, primary_key=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("changed", sa.Boolean, nullable=False),
    sa.Column("error_kind", sa.String(32)),
    sa.Column("provider", sa.String(255)),
    sa.Column("release", sa.String(255)),
    sa.Column("build", sa.BigInteger),
    sa.Column("status", sa.String(255)),
    sa.Column("channel", sa.String(255)),
    sa.Column("expires", sa.String(32)),
    sa.Column("kms_host", sa.String(255)),
    sa.Column("cmid", sa.String(255)),
    sa.Column("report", sa.LargeBinary, nullable=False),
    sa.Index("ix_rows_verdict", "verdict"),
    sa.Index("ix_rows_expires", "expires"),
    sa.Index("ix_rows_server_at", "server", "at"),
)
sa.Table(
    "findings",
    METADATA,
    sa.Column("run", sa.String(64), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("server", _NAME, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("finding", sa.String(64), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("repair", sa.String(16), nullable=False),
    sa.Index("ix_findings_finding", "finding"),
)
sa.Table(
    "steps",
    METADATA,
    sa.Column("run", sa.String(64), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("server", _NAME, primary_key=True),
    sa.Column("at", sa.String(32), primary_key=True),  # when they were about to be sent
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("address", sa.String(255), nullable=False),
    sa.Column("provider", sa.String(255), nullable=False),
    sa.Column("step", sa.String(64), nullable=False),
    sa.Column("params", sa.Text, nullable=False),  # JSON
    sa.Column("because", sa.Text, nullable=False),  # JSON
    sa.Column("before", sa.Text, nullable=False),  # JSON, from the facts
    sa.Column("ok", sa.Boolean),  # null: no answer is known
    sa.Column("changed", sa.Boolean),
    sa.Column("hresult", sa.BigInteger),
    sa.Column("seen_before", sa.Text),  # JSON, as the server itself reported
    sa.Column("after", sa.Text),  # JSON
)
sa.Table(
    "facts",
    METADATA,
    sa.Column("run", sa.String(64), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("server", _NAME, primary_key=True),
    sa.Column("at", sa.String(32), primary_key=True),
    sa.Column("look", sa.String(16), primary_key=True),  # first | closing
    sa.Column("data", sa.LargeBinary, nullable=False),
)
