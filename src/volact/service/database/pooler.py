"""A pooler in transaction mode (PgBouncer, Supavisor), which the service cannot work through.

Each transaction may be another session there: a worker's lock, its settings and what DBOS
listens to would be those of any client.
"""

from __future__ import annotations

import sqlalchemy as sa

from volact.errors import StoreError
from volact.store.failures import POOLER, POOLER_HINT

_BACKEND = sa.text("SELECT pg_backend_pid()")


def require_session(engine: sa.Engine) -> None:
    """``StoreError`` where a connection's session changes between two transactions."""
    if engine.dialect.name == "sqlite":
        return
    with engine.connect() as connection, engine.connect() as other:
        before = connection.execute(_BACKEND).scalar()
        connection.commit()
        # A pooler gives it the session that has just become free, until it ends its transaction.
        other.execute(_BACKEND)
        if connection.execute(_BACKEND).scalar() != before:
            raise transaction_pooler()


def transaction_pooler() -> StoreError:
    """What is wrong with such an address."""
    return StoreError(POOLER, POOLER_HINT)
