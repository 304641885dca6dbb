"""The tables of the service as the newest version has them.

Times are text as in the store: UTC, ISO 8601 with milliseconds and a ``Z``.  No secret is
in a table: passwords, sessions, links and tokens are stored as hashes, and a server's
credentials are references that a worker resolves itself.
"""

from __future__ import annotations

import sqlalchemy as sa

from volact.store.tables import NAME

METADATA = sa.MetaData()


def _key(name: str, length: int = 64) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), primary_key=True)


def _text(name: str, length: int = 255, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, server_default=default)


def _long(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _time(name: str, *, nullable: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.String(32), nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


USERS = sa.Table(
    "service_users",
    METADATA,
    _key("id"),
    sa.Column("name", sa.String(255), nullable=False, unique=True),
    _text("email"),
    _text("role", 16),
    _long("scopes", "null"),  # JSON list of words of ``access.Scope``; null: the whole fleet
    sa.Column("password", sa.String(255)),  # argon2id; null: no password
    sa.Column("subject", sa.String(512), unique=True),  # of OIDC: issuer and subject
    _text("language", 16),
    _flag("disabled"),
    _time("created", nullable=False),
    _time("signed_in"),
)

# Failed sign-ins: by name and address, by address, by name; of unknown names, too.
ATTEMPTS = sa.Table(
    "service_attempts",
    METADATA,
    _key("key"),  # a hash
    _number("failures"),
    _time("locked_until"),
    _time("at", nullable=False),  # of the first failure that counts
)

LINKS = sa.Table(
    "service_links",
    METADATA,
    _key("hash"),
    sa.Column("user", sa.String(64), sa.ForeignKey("service_users.id"), nullable=False),
    _time("expires", nullable=False),
)

SESSIONS = sa.Table(
    "service_sessions",
    METADATA,
    _key("hash"),
    _text("id", 64),  # what the list of sessions names
    _text("via", 16, "session"),  # session, link
    sa.Column("user", sa.String(64), sa.ForeignKey("service_users.id"), nullable=False, index=True),
    _time("created", nullable=False),
    _time("seen", nullable=False),
    _time("expires", nullable=False),
    _text("address"),
    _text("agent"),
)

TOKENS = sa.Table(
    "service_tokens",
    METADATA,
    _key("id"),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("user", sa.String(64), sa.ForeignKey("service_users.id"), nullable=False, index=True),
    _text("name"),
    _text("role", 16),
    _long("scopes", "null"),
    _time("created", nullable=False),
    _time("expires", nullable=False),
    _time("used"),
)

# Append-only; each line's hash covers the line before.
AUDIT = sa.Table(
    "service_audit",
    METADATA,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    _time("at", nullable=False),
    _text("user"),  # the name at that time
    _text("via", 32),  # session, token, link, schedule, system
    _text("address"),
    _text("action", 64),
    _text("object"),
    _long("detail", "{}"),  # JSON
    _text("approved_by"),
    _text("hash", 64),
    sa.Index("ix_service_audit_action", "action", "position"),
    sa.Index("ix_service_audit_user", "user", "position"),
)

# One row: the newest line of the audit.
AUDIT_HEAD = sa.Table(
    "service_audit_head",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    _number("position"),
    _text("hash", 64),
)

INVENTORIES = sa.Table(
    "service_inventories",
    METADATA,
    _key("name", 255),
    _text("file", 255),  # the file's name, which says its format
    _long("text"),
    _text("source"),  # for a cloud's list: what ``--from`` names
    _long("filters", "[]"),  # JSON
    _number("servers"),
    _long("mistakes", "[]"),  # JSON: what is wrong in it
    _text("updated_by"),
    _time("updated", nullable=False),
)

VIEWS = sa.Table(
    "service_views",
    METADATA,
    _key("id"),
    _text("name"),
    sa.Column("user", sa.String(64), nullable=False),
    _flag("shared"),
    _long("filter", "{}"),  # JSON of ``queries.filters.ServerFilter``
    _time("created", nullable=False),
)

# What was asked of the engine; rows, facts and intents of the run are in the store.
RUNS = sa.Table(
    "service_runs",
    METADATA,
    _key("id"),
    _text("state", 32),  # a word of ``client.wire.RunState``
    _long("spec"),  # JSON of ``client.wire.RunSpec``
    _number("servers"),
    _number("done"),
    _long("counts", "{}"),  # JSON: how many of each verdict
    _text("note", 1024),  # why it stopped
    sa.Column("attempt", sa.Integer, nullable=False, server_default="1"),  # one more a resume
    sa.Column("counted_from", sa.Integer, nullable=False, server_default="1"),
    sa.Column("pace_slot", sa.BigInteger),  # the next free slot of its rate limiter
    _text("requested_by"),
    _text("approved_by"),
    _text("schedule", 64),
    _time("requested", nullable=False),
    _time("approved"),
    _time("begun"),
    _time("ended"),
    sa.Index("ix_service_runs_state", "state", "requested"),
    sa.Index("ix_service_runs_requested", "requested"),
    # ``schedule`` is the schedule's id and the time that was due: no such run is there twice.
    sa.Index(
        "ux_service_runs_schedule",
        "schedule",
        unique=True,
        sqlite_where=sa.text("schedule <> ''"),
        postgresql_where=sa.text("schedule <> ''"),
    ),
)

# The servers of a run as they were when it was requested, and what came of each.
RUN_SERVERS = sa.Table(
    "service_run_servers",
    METADATA,
    sa.Column("run", sa.String(64), sa.ForeignKey("service_runs.id"), primary_key=True),
    sa.Column("server", NAME, primary_key=True),
    _number("position"),
    _flag("canary"),
    _text("label"),  # of the workers that reach it; "": any
    _text("verdict", 16),  # "": not finished
    _flag("failed"),  # as the stop rules count it
    _number("attempt"),  # in which it was finished
    _text("claimed_by"),  # the worker that sends it steps
    sa.Index("ix_service_run_servers_verdict", "run", "verdict"),
)

SCHEDULES = sa.Table(
    "service_schedules",
    METADATA,
    _key("id"),
    sa.Column("name", sa.String(255), nullable=False, unique=True),
    _long("spec"),  # JSON of ``client.wire.ScheduleSpec``
    _flag("enabled"),
    _time("next"),  # when a run is due, without jitter
    _time("settled"),  # when that was worked out
    _time("last"),
    _text("last_run", 64),
    _time("claimed"),  # since when a process starts the run that is due
    _text("note", 1024),  # why the last one was not started
    _flag("failing"),  # it could not be; else there was nothing to do
    _text("told_run", 64),  # the last run whose changes were looked at
    _time("told"),  # until when changes were looked at
    _text("owner"),
    _time("updated", nullable=False),
)

# What a channel did not take yet; of each kind the newest.
UNSENT = sa.Table(
    "service_unsent",
    METADATA,
    sa.Column("schedule", sa.String(64), sa.ForeignKey("service_schedules.id"), primary_key=True),
    _key("kind", 16),  # a word of ``schedules.unsent.Kind``
    _key("channel", 128),  # the name of its variable
    _text("what", 1024),  # since when it has no changes; why no run started; a run
    _time("tried"),
)

WORKERS = sa.Table(
    "service_workers",
    METADATA,
    _key("id"),
    _text("host"),
    _long("labels", "[]"),  # JSON
    _time("started", nullable=False),
    _time("seen", nullable=False),  # for display
    _number("beat"),  # liveness: the others see it grow
    sa.Column("engine", sa.Integer, nullable=False, server_default="2"),  # ``lease.ENGINE``
)

# Activations at a KMS host at a time, over all workers and runs.
SLOTS = sa.Table(
    "service_slots",
    METADATA,
    _key("host", 255),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    _text("worker", 64),
    _text("holder", 512),  # run and server
)

# Answers of changing requests by their idempotency key.
ANSWERS = sa.Table(
    "service_answers",
    METADATA,
    _key("key", 255),
    sa.Column("user", sa.String(64), primary_key=True),
    _text("request", 64),  # hash of method, path and body
    sa.Column("status", sa.Integer),  # null while the request is at work
    sa.Column("body", sa.LargeBinary),
    _time("at", nullable=False),
)

# What one process of many does once in a while, and when it last was.
TASKS = sa.Table("service_tasks", METADATA, _key("name"), _time("at", nullable=False))

# What administrators decide for all: approvals, repairs by schedule, retention.
POLICIES = sa.Table(
    "service_policies",
    METADATA,
    _key("name"),
    _long("value"),  # JSON of the struct of that name in ``policies.py``
    _text("updated_by"),
    _time("updated", nullable=False),
)
