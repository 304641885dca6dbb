"""Versions of a store, what may be named as one, and what is never shown of it."""

from __future__ import annotations

import stat
import subprocess
import sys
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from first_store_tables import METADATA as FIRST
from postgres_server import PostgresServer
from store_samples import keep, row
from store_structure import begin_old, both_ways, forget_version, table_names_and_rows

from volact.errors import InputError, StoreError
from volact.queries.servers import NamesQuery
from volact.store import open_store
from volact.store.address import (
    chosen,
    hidden,
    library_url,
    parse_address,
    secrets_in,
    usual_file,
)
from volact.store.engine import make_engine, server_url, writing
from volact.store.schema import HEAD, MIGRATIONS, STORE
from volact.store.tables import METADATA


def test_the_migrations_make_the_tables_that_are_used(store_url: str) -> None:
    begin_old(store_url, STORE, FIRST)
    with open_store(store_url, create=True) as store, store.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    assert differences == []


def test_a_new_store_is_what_the_migrations_would_have_made(store_url: str, other_url: str) -> None:
    opened = partial(open_store, create=True)
    new, migrated = both_ways(STORE, FIRST, opened, store_url, other_url)
    assert new == migrated
    assert set(new[1]) == set(METADATA.tables)


def test_a_new_store_needs_no_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from volact.store import open_store; open_store('new.db').close();"
        "sys.exit('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert (done.returncode, (tmp_path / "new.db").exists()) == (0, True)


def test_the_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_newer_store_is_refused_and_left_alone(store_url: str) -> None:
    keep(store_url, "aa11", row("web-01"))
    with open_store(store_url, create=True) as store, store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(
        StoreError, match=r"created by a newer volact .version 9999; this volact supports up to"
    ):
        open_store(store_url)
    kept = keep(store_url, "bb22", row("web-02"))
    assert not kept.stored
    assert "created by a newer volact" in kept.problem


def test_an_older_store_is_brought_up_to_date(store_url: str) -> None:
    begin_old(store_url, STORE, FIRST)
    assert keep(store_url, "aa11", row("web-01")).problem == ""
    with open_store(store_url, create=True) as store:
        assert NamesQuery().ask(store) == ["web-01"]


def test_a_database_with_an_empty_table_of_its_version_is_a_new_store(store_url: str) -> None:
    if not store_url.startswith("postgresql"):
        Path(store_url).parent.mkdir()
    engine = engine_of(store_url)
    with writing(engine).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num varchar(32))")
    engine.dispose()
    assert keep(store_url, "aa11", row("web-01")).problem == ""
    with open_store(store_url, create=True) as store, store.engine.connect() as connection:
        assert NamesQuery().ask(store) == ["web-01"]
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
        assert version.scalar_one() == HEAD


@pytest.mark.parametrize("newest", [False, True])
def test_a_store_whose_version_is_lost_is_refused_and_left_alone(
    store_url: str, newest: bool
) -> None:
    if newest:
        keep(store_url, "aa11", row("web-01"))
    else:
        begin_old(store_url, STORE, FIRST)
    forget_version(store_url, STORE)
    engine = engine_of(store_url)
    before = table_names_and_rows(engine)
    for create in (True, False):
        with pytest.raises(StoreError, match="already exists"):
            open_store(store_url, create=create)
    assert table_names_and_rows(engine) == before
    engine.dispose()


def test_the_file_and_its_folder_are_their_owner_s_alone(tmp_path: Path) -> None:
    file = tmp_path / "some" / "where" / "volact.db"
    keep(str(file), "aa11", row("web-01"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_store_that_was_never_made_is_none(tmp_path: Path) -> None:
    assert open_store(str(tmp_path / "no.db"), create=False) is None
    assert not (tmp_path / "no.db").exists()


def test_an_empty_database_without_a_store_is_none_and_stays_so(store_url: str) -> None:
    if not store_url.startswith("postgresql"):
        Path(store_url).parent.mkdir()
        Path(store_url).touch()
    assert open_store(store_url, create=False) is None
    engine = engine_of(store_url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_database_of_another_program_is_refused_and_left_alone(store_url: str) -> None:
    """One with versions by Alembic, too, whose table has the name of the store's."""
    if not store_url.startswith("postgresql"):
        Path(store_url).parent.mkdir()
    engine = engine_of(store_url)
    with writing(engine).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users (name text)")
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num varchar(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('8f3c')")
    other = "database" if store_url.startswith("postgresql") else "file"
    for create in (True, False):
        with pytest.raises(StoreError) as refused:
            open_store(store_url, create=create)
        told = f"is not a store of volact (give --store another {other})"
        assert refused.value.line().endswith(told)
    assert sorted(sa.inspect(engine).get_table_names()) == ["alembic_version", "users"]
    engine.dispose()


def engine_of(url: str) -> sa.Engine:
    address = parse_address(url)
    assert address is not None
    return make_engine(address)


def test_who_says_which_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen("", {"VOLACT_STORE": "none"}) is None
    assert chosen("none", {}) is None
    usual = chosen("", {})
    assert usual is not None
    assert usual.file == usual_file()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert usual_file().name == "volact.db"
    option = chosen(str(tmp_path / "a.db"), {"VOLACT_STORE": "postgresql://h/d"})
    assert option is not None
    assert option.file == tmp_path / "a.db"
    assert parse_address("sqlite:////tmp/x.db") == parse_address("/tmp/x.db")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:s3cr3t@db.example/volact",
        "postgres://me:s3cr3t@db.example:5432/volact?sslmode=require",
        "postgresql://db.example/volact?user=me&password=s3cr3t",
        "postgresql://me:s3/cr3t@db.example/volact",
        "postgresql://me@corp:s3cr3t@db.example/volact",
    ],
)
def test_a_password_is_never_shown_and_never_taken_from_the_command_line(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    for shown in (address.shown, repr(address), hidden(address.shown, address.shown)):
        assert "cr3t" not in shown
    with pytest.raises(InputError) as caught:
        chosen(text, {})
    assert "cr3t" not in caught.value.line()
    assert "VOLACT_STORE" in caught.value.line()
    from_environment = chosen("", {"VOLACT_STORE": text})
    assert from_environment is not None
    with pytest.raises(StoreError) as refused:
        open_store_at(text)
    assert "cr3t" not in refused.value.line()


def open_store_at(text: str) -> None:
    """A place where nothing answers, quickly."""
    from volact.store.store import open_address

    quick = text.replace("db.example:5432", "127.0.0.1:1").replace("db.example", "127.0.0.1:1")
    address = parse_address(quick)
    assert address is not None
    open_address(address)


@pytest.mark.parametrize("url", ["postgresql://me:s3@cr3t@h/d", "postgresql://me:s3%40cr3t@h/d"])
def test_no_part_of_a_password_is_told_as_a_host(url: str) -> None:
    address = parse_address(url)
    assert address is not None
    assert address.shown == "postgresql://me:***@h/d"
    words = f"no host {url} cr3t@h s3@cr3t"
    for secret in secrets_in(address.url):
        words = words.replace(secret, "***")
    assert "cr3t" not in words


@pytest.mark.parametrize("port", [":1", ""])
def test_each_of_several_hosts_may_have_a_port(port: str, postgresql: PostgresServer) -> None:
    parts = urlsplit(postgresql.new_database())
    (folder,) = parse_qs(parts.query)["host"]
    host = quote(folder, safe="")
    url = f"postgresql://postgres@%2Fnowhere{port},{host}:5432{parts.path}?application_name=me"
    with open_store(url) as store:
        assert NamesQuery().ask(store) == []


def test_several_hosts_are_told_to_the_library_in_its_own_way() -> None:
    url = "postgresql://me@[::1]:5432,db-2:6432,db-3/volact?target_session_attrs=read-write"
    option = chosen(url, {})
    assert option is not None
    assert option.shown == url
    args = server_url(option.url)
    assert (args.username, args.database, args.host) == ("me", "volact", None)
    assert dict(args.query) == {
        "target_session_attrs": "read-write",
        "host": "::1,db-2,db-3",
        "port": "5432,6432,",
    }
    kept = "postgresql://me@db-1,db-2/volact?port=6432"
    assert library_url(kept) == kept


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("postgresql://me@127.0.0.1:/db", "postgresql://me@127.0.0.1/db"),
        ("postgresql://me@[::1]:/db?sslmode=require", "postgresql://me@[::1]/db?sslmode=require"),
        ("postgresql://me@h1:,h2:/db", "postgresql://me@h1,h2/db"),
        ("postgresql://me@h1:,h2:6432/db", "postgresql://me@/db?host=h1,h2&port=,6432"),
        ("postgresql://me@h:65535/db?host=%2Frun", "postgresql://me@h:65535/db?host=%2Frun"),
        ("postgresql:///db?host=h1,h2&port=1,2", "postgresql:///db?host=h1,h2&port=1,2"),
    ],
)
def test_an_empty_port_is_none(url: str, read: str) -> None:
    assert parse_address(url) is not None
    assert library_url(url) == read
    url_read = server_url(url)
    assert url_read.get_dialect()().create_connect_args(url_read)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me@h1:1,h2:2/db?host=h3",
        "postgresql://me@h1:1,h2:2/db?port=3",
        "postgresql://me@[::1],[::2]/db?port=3",
        "postgresql://me@h1,h2/db?port=1,2",
        "postgresql:///db?host=h1,h2&port=1,2,3",
        "postgresql:///db?host=h1&host=h2&port=1,2",
        "postgresql://me@h/db?port=x",
    ],
)
def test_hosts_and_ports_that_the_library_refuses_are_no_store(url: str) -> None:
    with pytest.raises(InputError, match="is not a store"):
        parse_address(url)


NO_PORTS = ["h:abc", "[::1", "h1:5432,h2:x", "h:5432:1", "h:123456", "h:65536", "h:0", "h1:1,h2:0"]


@pytest.mark.parametrize("place", NO_PORTS)
def test_a_host_or_port_that_is_none_is_no_store(place: str) -> None:
    with pytest.raises(InputError, match="is not a store") as caught:
        parse_address(f"postgresql://me@corp:s3cr3t@{place}/volact")
    assert "s3cr3t" not in caught.value.line()


@pytest.mark.parametrize("text", ["mysql://h/d", "http://me:s3cr3t@h/", ":memory:", "  "])
def test_what_is_no_store_is_said(text: str) -> None:
    with pytest.raises(InputError, match="is not a store") as caught:
        parse_address(text)
    assert "s3cr3t" not in caught.value.line()
