"""The tables as the newest version has them.  How they came to be is in ``migrations/``.

Times are text, UTC, ISO 8601 with milliseconds and a ``Z``, so that they sort as
text in every database.  Lists, filters and digests are answered from columns; a row
as a whole is compressed JSON beside them, for one server's details and for export.
"""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()
# Sorted alike in every database, in any language.
NAME = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")

RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("begun", sa.String(32), nullable=False, index=True),
    sa.Column("command", sa.String(32), nullable=False),
    sa.Column("started", sa.String(32), nullable=False),
    sa.Column("volact", sa.String(64), nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("finished", sa.Boolean, nullable=False),
    sa.Column("pruned", sa.Boolean, nullable=False),
    sa.Column("elapsed_s", sa.Float),
    sa.Column("summary", sa.Text),  # JSON; null until the end
    sa.Column("note", sa.Text, nullable=False, server_default=""),  # from the run's report
    sa.Column("closing", sa.LargeBinary),  # the run's report without its servers
)

# One line for each server, its current state: from the newest row, and from the
# newest examination (``examined_at`` and below), which may be an older row.
SERVERS = sa.Table(
    "servers",
    METADATA,
    sa.Column("name", NAME, primary_key=True),
    sa.Column("address", sa.String(255), nullable=False),
    sa.Column("first_seen", sa.String(32), nullable=False),
    sa.Column("last_seen", sa.String(32), nullable=False),
    sa.Column("last_run", sa.String(64), nullable=False),
    sa.Column("tags", sa.Text, nullable=False, server_default=""),  # one a line, "\na\nb\n"
    sa.Column("verdict", sa.String(16), nullable=False, server_default="unreachable"),
    sa.Column("error_kind", sa.String(32)),
    sa.Column("cause", sa.String(255), nullable=False, server_default=""),
    sa.Column("causes", sa.Text),  # JSON; null for a healthy server
    sa.Column("subnet", sa.String(64), nullable=False, server_default=""),
    sa.Column("provider", sa.String(255)),  # of the newest row that names one
    sa.Column("examined_at", sa.String(32)),
    sa.Column("examined_run", sa.String(64)),
    sa.Column("release", sa.String(255)),
    sa.Column("kms_host", sa.String(255)),
    sa.Column("status", sa.String(255)),
    sa.Column("term", sa.String(16), nullable=False, server_default="unknown"),
    sa.Column("expires", sa.String(32)),  # as the server reported it
    sa.Column("ends", sa.String(32)),  # the same where it is a time, as times are kept here
    sa.Column("overdue", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("cmid", sa.String(255)),
    sa.Column("lapses", sa.String(32)),  # until when it is healthy by an accepted finding
    sa.Column("lapse_cause", sa.String(255), nullable=False, server_default=""),
    sa.Index("ix_servers_verdict", "verdict", "name"),
    sa.Index("ix_servers_provider", "provider", "name"),
    sa.Index("ix_servers_kms_host", "kms_host", "name"),
    sa.Index("ix_servers_ends", "ends", "name"),
)

ROWS = sa.Table(
    "rows",
    METADATA,
    sa.Column("run", sa.String(64), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("server", NAME, primary_key=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("address", sa.String(255), nullable=False, server_default=""),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("cause", sa.String(255), nullable=False, server_default=""),
    sa.Column("changed", sa.Boolean, nullable=False),
    sa.Column("error_kind", sa.String(32)),
    sa.Column("provider", sa.String(255)),
    sa.Column("release", sa.String(255)),
    sa.Column("edition", sa.String(255)),
    sa.Column("status", sa.String(255)),
    sa.Column("channel", sa.String(255)),
    sa.Column("partial_key", sa.String(255)),
    sa.Column("expires", sa.String(32)),
    sa.Column("kms_host", sa.String(255)),
    sa.Column("findings", sa.Text, nullable=False, server_default="[]"),  # JSON: severity:id
    sa.Column("report", sa.LargeBinary, nullable=False),
    sa.Index("ix_rows_server_at", "server", "at"),
)

FINDINGS = sa.Table(
    "findings",
    METADATA,
    sa.Column("run", sa.String(64), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("server", NAME, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("finding", sa.String(64), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Index("ix_findings_finding", "finding", "run", "server"),
)

STEPS = sa.Table(
    "steps",
    METADATA,
    sa.Column("run", sa.String(64), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("server", NAME, primary_key=True),
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

FACTS = sa.Table(
    "facts",
    METADATA,
    sa.Column("run", sa.String(64), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("server", NAME, primary_key=True),
    sa.Column("at", sa.String(32), primary_key=True),
    sa.Column("look", sa.String(16), primary_key=True),  # first | closing
    sa.Column("data", sa.LargeBinary, nullable=False),
)

# Their sum grows with each transaction that changes what is known of runs or servers.
REVISIONS = sa.Table(
    "revisions",
    METADATA,
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
)

# What belongs to one server's row of one run.
BELOW_A_ROW = (FINDINGS, STEPS, FACTS, ROWS)


def begins(column: sa.ColumnElement[str], text: str) -> sa.ColumnElement[bool]:
    """Whether a column begins with a text, heeding the case: LIKE does so in PostgreSQL alone."""
    return sa.func.substr(column, 1, len(text)) == text
