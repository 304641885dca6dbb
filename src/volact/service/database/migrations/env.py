"""Alembic's entry point: the migrations run in the transaction that they are given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from volact.service.database.schema import SERVICE
from volact.service.database.tables import METADATA

connection = context.config.attributes["connection"]
assert isinstance(connection, sa.Connection)
context.configure(connection=connection, target_metadata=METADATA, version_table=SERVICE.versions)
with context.begin_transaction():
    context.run_migrations()
