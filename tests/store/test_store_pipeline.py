"""PostgreSQL gets no pipeline, in which a stopped process would hold its locks for ever."""

from __future__ import annotations

from typing import NoReturn

import psycopg
import pytest
import sqlalchemy as sa
from postgres_server import PostgresServer

from volact.store.address import parse_address
from volact.store.engine import make_engine

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
