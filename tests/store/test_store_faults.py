"""A database that fails costs a run nothing but its record, and the operator is warned.

Every fault is a real one: another process holds the lock, the disk is full, pages
are overwritten, rights are missing, the server is killed.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa
from postgres_server import PostgresServer
from store_samples import FACTS, end, intent, keep, row, store_writer

from volact.errors import StoreError
from volact.store import open_store
from volact.store.failures import DatabaseError
from volact.store.values import WriteOutcome

HERE = Path(__file__).parent
LOCKS = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
held.execute("ROLLBACK")
print("free", flush=True)
"""
# Root without its special powers: rights count for it as for any account.
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


class Holder:
    """Another process that holds a database for itself."""

    def __init__(self, file: Path) -> None:
        command = [sys.executable, "-c", LOCKS, str(file)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._said("locked")

    def let_go(self) -> None:
        """Free the database."""
        if self._process.poll() is None:
            self._process.communicate("\n")

    def _said(self, word: str) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == word


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store with one run in it."""
    found = tmp_path / "volact.db"
    assert keep(str(found), "aa11", row("web-01")).problem == ""
    return found


@pytest.fixture
def holder(file: Path) -> Iterator[Holder]:
    found = Holder(file)
    yield found
    found.let_go()


async def whole_run(url: str, patience_s: float = 0.3) -> WriteOutcome:
    """A run of one server that changes something; it always comes to its end."""
    writer = store_writer(url, "bb22", patience_s=patience_s)
    writer.seen("web-02", "first", FACTS)
    await writer.sending(intent("web-02"))
    writer.row(row("web-02"))
    await writer.room()
    return writer.finish(end("bb22", servers=1))


async def test_a_lock_that_lasts_is_told_and_waited_for_only_once(
    file: Path, holder: Holder
) -> None:
    kept = await whole_run(str(file))
    assert not kept.stored
    assert str(kept.problem).startswith(
        f"this run is not stored: store {file}: another program has locked the database (stop"
    )
    holder.let_go()
    with open_store(str(file)) as store:
        assert [run.id for run in store.runs()] == ["aa11"]


async def test_a_lock_that_passes_costs_nothing(file: Path, holder: Holder) -> None:
    writer = store_writer(str(file), "bb22", patience_s=30.0)
    writer.row(row("web-02"))
    time.sleep(1.5)
    holder.let_go()
    await writer.sending(intent("web-02"))
    assert writer.finish(end("bb22")) == WriteOutcome(stored=True)
    with open_store(str(file)) as store:
        assert len(list(store.rows("bb22"))) == 1


async def test_what_comes_after_a_lock_is_kept_and_says_what_is_missing(
    file: Path, holder: Holder
) -> None:
    writer = store_writer(str(file), "bb22", patience_s=0.3)
    writer.row(row("web-02"))
    await writer.sending(intent("web-02"))
    holder.let_go()
    kept = writer.finish(end("bb22"))
    assert kept.stored
    assert str(kept.problem).startswith("this run is not stored completely: ")
    with open_store(str(file)) as store:
        run = store.find_run("bb22")
        assert run.finished
        assert "locked the database" in run.note


async def test_what_is_left_out_while_a_store_hangs_is_told_and_no_step_is(
    file: Path, holder: Holder
) -> None:
    # No wait at all: the database that is locked counts as one that hangs.
    writer = store_writer(str(file), "bb22", patience_s=600.0, hang_s=-600.0)
    names = [f"web-{at:04}" for at in range(1500)]
    for name in names:
        await writer.sending(intent(name))
        writer.row(row(name))
        at_once(writer.room())
    await writer.sending(intent("web-0000", at="2026-11-24T11:15:16.001Z"))
    writer.withdrawn(intent("web-0000", at="2026-11-24T11:15:16.001Z"))
    holder.let_go()
    while writer._hangs:
        await asyncio.sleep(0.01)
    kept = writer.finish(end("bb22", servers=len(names)))
    with open_store(str(file)) as store:
        missing = len(names) - len(list(store.rows("bb22")))
        sent = [(found.server, found.at) for found in store.intents("bb22")]
        note = store.find_run("bb22").note
    assert sent == [(name, intent(name).at) for name in names]
    assert 0 < missing < len(names)
    assert kept.problem == note == (
        "this run is not stored completely: the store did not answer for a time, and the results "
        f"of {missing} servers are missing"
    )  # fmt: skip
    assert kept.stored


@pytest.mark.parametrize("size", ["40000", "200000"], ids=["at once", "midway"])
def test_a_disk_without_room(file: Path, size: str) -> None:
    done = _writer(str(file), "bb22", "small", size)
    assert done.returncode == 0, done.stderr
    assert re.search(r"stored(?: completely)?: store ", done.stdout)
    assert "cannot be read or written (check its disk" in done.stdout
    with open_store(str(file)) as store:  # what was there is there
        assert len(list(store.rows("aa11"))) == 1


async def test_a_full_disk(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs leave to mount a small disk")
    try:
        filler = place / "filler"
        keep(str(place / "volact.db"), "aa11", row("web-01"))
        with pytest.raises(OSError, match="No space"):
            filler.write_bytes(b"x" * 1_000_000)
        kept = await whole_run(str(place / "volact.db"))
        assert "the disk is full (free some disk space" in kept.problem
        filler.unlink()
        assert (await whole_run(str(place / "volact.db"))).problem == ""
    finally:
        subprocess.run(["umount", str(place)], check=True)


async def test_overwritten_pages(file: Path) -> None:
    size = file.stat().st_size
    with file.open("r+b") as damaged:
        damaged.seek(4096)
        damaged.write(os.urandom(size - 4096))
    kept = await whole_run(str(file))
    assert not kept.stored
    assert "the database is damaged (move the file away" in kept.problem
    with pytest.raises(StoreError, match="the database is damaged"), open_store(str(file)) as store:
        list(store.latest())


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, and longer than the header of one\n" * 40)
    before = file.read_bytes()
    kept = await whole_run(str(file))
    assert "the file is not a database (give --store another file)" in kept.problem
    assert file.read_bytes() == before
    with pytest.raises(StoreError, match="the file is not a database"):
        open_store(str(file))


async def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = await whole_run(str(tmp_path / "file" / "volact.db"))
    assert "Not a directory (check the permissions" in kept.problem


@pytest.mark.parametrize("what", ["file", "folder", "foreign folder"])
def test_rights_that_are_missing(file: Path, what: str) -> None:
    store = file
    if what == "file":
        file.chmod(0o400)
    elif what == "folder":
        file.parent.chmod(0o500)
    else:
        file.parent.chmod(0o500)
        store = file.parent / "sub" / "volact.db"
    try:
        done = _writer(str(store), "bb22", "many", "3", before=POWERLESS)
    finally:
        file.parent.chmod(0o700)
        file.chmod(0o600)
    assert done.returncode == 0, done.stderr
    assert "this run is not stored: store" in done.stdout
    assert "check the permissions of the file and its folder" in done.stdout


async def test_a_postgresql_that_goes_away_midway_and_comes_back(
    own_postgresql: PostgresServer,
) -> None:
    url = own_postgresql.new_database()
    writer = store_writer(url, "aa11", patience_s=0.3)
    await writer.sending(intent("web-01"))
    own_postgresql.kill()
    writer.row(row("web-01"))
    await writer.sending(intent("web-02"))  # returns, although no server is there
    own_postgresql.start()
    writer.row(row("web-02"))
    kept = writer.finish(end("aa11", servers=2))
    assert kept.stored
    assert str(kept.problem).startswith("this run is not stored completely: store postgresql://")
    with open_store(url) as store:
        assert store.find_run("aa11").finished
        assert [sent.server for sent in store.intents("aa11")] == ["web-01"]


async def test_a_postgresql_that_restarts_costs_nothing(own_postgresql: PostgresServer) -> None:
    url = own_postgresql.new_database()
    writer = store_writer(url, "aa11", patience_s=30.0)
    await writer.sending(intent("web-01"))
    own_postgresql.kill()
    own_postgresql.start()
    await writer.sending(intent("web-02"))
    assert writer.finish(end("aa11")).problem == ""
    with open_store(url) as store:
        assert [sent.server for sent in store.intents("aa11")] == ["web-01", "web-02"]


READ_ONLY = "ALTER DATABASE {} SET default_transaction_read_only = on"
PINNED = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"


def alter(server: PostgresServer, url: str, statement: str) -> None:
    """Set something for new sessions of a database, from another one."""
    with psycopg.connect(server.url("postgres")) as connection:
        connection.execute(statement.format(urlsplit(url).path[1:]).encode())


async def test_a_postgresql_that_is_read_only_for_a_while_is_waited_for(
    postgresql: PostgresServer,
) -> None:
    url = postgresql.new_database()
    writer = store_writer(url, "aa11", patience_s=0.3)
    await writer.sending(intent("web-01"))
    alter(postgresql, url, READ_ONLY)
    with psycopg.connect(postgresql.url("postgres"), autocommit=True) as other:
        cut = b"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = %s"
        assert other.execute(cut, [urlsplit(url).path[1:]]).fetchall() == [(True,)]
    await writer.sending(intent("web-02"))
    alter(postgresql, url, "ALTER DATABASE {} RESET default_transaction_read_only")
    writer.row(row("web-02"))
    kept = writer.finish(end("aa11", servers=2))
    assert kept.stored
    assert "the server is read-only (after a failover it is a standby" in str(kept.problem)
    with open_store(url) as store:
        assert store.find_run("aa11").finished
        assert [sent.server for sent in store.intents("aa11")] == ["web-01"]


def test_connections_to_a_former_primary_are_not_kept(postgresql: PostgresServer) -> None:
    with open_store(postgresql.new_database()) as store:
        for statement in ("CREATE TABLE t ()", "CREATE TABLE u ()"):
            create = sa.text(statement)
            with store.engine.connect() as one, store.engine.begin() as other:
                for connection in (one, other):
                    connection.exec_driver_sql(PINNED)
                    connection.commit()
            with pytest.raises(StoreError, match="the server is read-only") as caught:
                store.change(partial(sa.Connection.execute, statement=create))
            assert isinstance(caught.value, DatabaseError)
            assert caught.value.passing
            store.change(partial(sa.Connection.execute, statement=create))


def test_a_database_whose_authority_is_unknown() -> None:
    """libpq looks for the authority as soon as a server agrees to TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor() as threads:

        def agree() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(8)
                connection.sendall(b"S")
                connection.recv(1)

        threads.submit(agree)
        url = f"postgresql://volact@127.0.0.1:{server.getsockname()[1]}/volact?sslmode=verify-full"
        with pytest.raises(StoreError, match="root certificate file") as caught:
            open_store(f"{url}&gssencmode=disable&sslrootcert=/nowhere/ca.pem")
        assert "sslrootcert=FILE in the URL" in caught.value.line()


def at_once(work: Coroutine[Any, Any, None]) -> None:
    """Run what has nothing to wait for."""
    with pytest.raises(StopIteration):
        work.send(None)


async def test_a_postgresql_that_hangs_holds_nothing_up(own_postgresql: PostgresServer) -> None:
    url = own_postgresql.new_database()
    writer = store_writer(url, "aa11", hang_s=0.7)
    await writer.sending(intent("web-01"))
    while writer._hangs:  # on a slow machine
        await asyncio.sleep(0.01)
    own_postgresql.freeze()
    try:
        await writer.sending(intent("web-02"))
        for at in range(3, 50):  # there is no second wait
            at_once(writer.sending(intent(f"web-{at:02}")))
            writer.row(row(f"web-{at:02}"))
        at_once(writer.room())
        trouble = str(writer.finish(end("aa11")).problem)
        assert trouble == "this run is not stored completely: the store does not answer"
    finally:
        own_postgresql.thaw()
    writer.abandon()  # its thread ends now that the store answers


async def test_a_table_that_is_locked_is_a_lock(postgresql: PostgresServer) -> None:
    url = postgresql.new_database()
    writer = store_writer(url, "bb22", hang_s=600.0)
    await writer.sending(intent("web-02"))  # the run is stored, and then its row is not
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE rows")
        writer.row(row("web-02"))
        kept = writer.finish(end("bb22", servers=1))
    assert kept.stored
    assert "another program has locked the database" in kept.problem


def test_two_processes_write_one_store(store_url: str) -> None:
    command = [sys.executable, str(HERE / "writers.py"), store_url]
    both = [
        subprocess.Popen(
            [*command, run, "many", "300"], stdout=subprocess.PIPE, text=True, env=_environment()
        )
        for run in ("aa11", "bb22")
    ]
    assert [process.communicate()[0].strip() for process in both] == ["True", "True"]
    with open_store(store_url) as store:
        for run in ("aa11", "bb22"):
            assert len(list(store.rows(run))) == 300
            assert len(list(store.intents(run))) == 300
            assert store.find_run(run).summary.healthy == 300
        assert len(list(store.latest())) == 300


def test_a_killed_run_is_there_as_far_as_it_came(store_url: str) -> None:
    assert _writer(store_url, "aa11", "killed").returncode == -9
    with open_store(store_url) as store:
        (run,) = store.runs()
        assert not run.finished
        assert [sent.server for sent in store.intents("aa11")] == ["web-02"]
        assert [stored.report.name for stored in store.rows("aa11")] == ["web-01"]


async def test_what_waits_together_is_committed_together(postgresql: PostgresServer) -> None:
    """Two thousand servers at once are a few commits, not two thousand."""
    url = postgresql.new_database()
    writer = store_writer(url, "aa11", patience_s=20.0)
    await asyncio.gather(*(writer.sending(intent(f"web-{at:04}")) for at in range(2000)))
    writer.finish(end("aa11"))
    with open_store(url) as store:
        assert len(list(store.intents("aa11"))) == 2000
    assert postgresql.commits(url) < 500  # a dozen; the more, the slower the machine


def test_sqlite_is_synchronous(file: Path) -> None:
    """A commit is on the disk: what is promised before steps are sent."""
    with open_store(str(file)) as store, store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    with sqlite3.connect(file) as connection_:
        assert connection_.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(HERE), "LC_ALL": "C.UTF-8"}


def _writer(*args: str, before: list[str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [*(before or []), sys.executable, str(HERE / "writers.py"), *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
