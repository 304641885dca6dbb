"""What a stopped process leaves in PostgreSQL: no pipeline with its locks, a session that ends."""

from __future__ import annotations

from typing import NoReturn

import psycopg
import pytest
import sqlalchemy as sa
from postgres_server import PostgresServer

from volact.store.address import parse_address
from volact.store.engine import make_engine
from volact.store.failures import database_error, kind_of

WORDS = sa.Table(
    "words", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True), sa.Column("text", sa.Text)
)


def test_many_rows_are_no_pipeline(
    postgresql: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pipeline(*_: object) -> NoReturn:
        raise AssertionError("a pipeline")

    monkeypatch.setattr(psycopg.Cursor, "executemany", pipeline)
    address = parse_address(postgresql.new_database())
    assert address is not None
    engine = make_engine(address)
    change = sa.update(WORDS).where(WORDS.c.n == sa.bindparam("at"))
    with engine.begin() as connection:
        WORDS.metadata.create_all(connection)
        connection.execute(sa.insert(WORDS), [{"n": n, "text": "a"} for n in range(3)])
        connection.execute(change, [{"at": n, "text": "b"} for n in range(2)])
        found = connection.execute(sa.select(WORDS.c.text).order_by(WORDS.c.n)).scalars().all()
    engine.dispose()
    assert found == ["b", "b", "a"]


def test_a_session_that_was_ended_between_two_statements_may_be_begun_anew(
    postgresql: PostgresServer,
) -> None:
    address = parse_address(postgresql.new_database())
    assert address is not None
    engine = make_engine(address)
    session = sa.text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
    with engine.connect() as connection, engine.connect() as other:
        pid = connection.execute(sa.func.pg_backend_pid()).scalar_one()
        connection.exec_driver_sql("SET idle_in_transaction_session_timeout TO 1")
        while other.execute(session, {"pid": pid}).scalar_one():
            other.rollback()  # each look is a transaction of its own
        with pytest.raises(sa.exc.DBAPIError) as caught:
            connection.execute(sa.func.pg_backend_pid())
        connection.invalidate()
    engine.dispose()
    assert kind_of(database_error(caught.value, address)) == "gone"
