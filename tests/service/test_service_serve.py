"""The process of ``volact serve``: it starts, says what is wrong in one line, and stops well."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import sqlalchemy as sa
from cli_process import FORKED
from cli_run import volact
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from forked_volact import ForkedVolact
from service_identity import PASSWORD

from volact.cli.options.service import ServeOptions
from volact.cli.verbs.serve import settings_of
from volact.service.database.schema import SERVICE, open_service_store
from volact.service.serve import keep_worker, make_parts, next_wait, server_config
from volact.service.settings import ServiceSettings
from volact.store import open_store
from volact.store.address import StoreAddress


class Running(NamedTuple):
    """A service that answers."""

    process: ForkedVolact
    url: str
    link: str

    def client(self, **settings: object) -> httpx.Client:
        headers = {"origin": self.url}
        return httpx.Client(base_url=self.url, headers=headers, timeout=None, **settings)  # type: ignore[arg-type]


@contextmanager
def serving(database: Path, *options: str) -> Iterator[Running]:
    """``volact serve`` on a free port, from the line that names it on."""
    where = ("--listen", "127.0.0.1:0", "--database", str(database))
    with ForkedVolact("serve", *where, *options) as process:
        told = process.stderr.readline()
        found = re.search(r"https?://\S+(?=;)", told)
        assert found, told + process.stderr.read()
        process.stderr.readline()
        yield Running(process, found[0], process.stderr.readline().strip())
        process.terminate()


def sign_in(client: httpx.Client, link: str) -> httpx.Response:
    return client.post("/sign-in/link", data={"key": link.partition("key=")[2]})


@FORKED
def test_it_serves_signs_in_and_stops(tmp_path: Path) -> None:
    with serving(tmp_path / "volact.db", "--workers", "0") as running:
        with running.client() as client:
            assert client.get("/healthz").text == "ok"
            assert client.get("/readyz").text == "ready"
            assert client.get("/").headers["location"] == "/sign-in?next=%2F"
            assert sign_in(client, running.link).headers["location"] == "/account/password"
            changed = client.post("/account/password", data={"new": PASSWORD})
            assert changed.status_code == 303
            assert client.get("/api/v1/servers").json()["items"] == []
        running.process.terminate()
        assert running.process.wait() == 0
        told = running.process.stderr.read()
    assert running.link.partition("key=")[2] not in told
    assert PASSWORD not in told


def children(process: ForkedVolact) -> set[int]:
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return {int(pid) for pid in listed.split()}


@FORKED
def test_its_worker_is_started_again_and_ends_with_it(tmp_path: Path) -> None:
    with serving(tmp_path / "volact.db") as running:
        while not (first := children(running.process)):
            assert running.process.poll() is None
        (worker,) = first
        os.kill(worker, signal.SIGKILL)
        while not (second := children(running.process) - first):
            assert running.process.poll() is None
        running.process.terminate()
        assert running.process.wait() == 0
        assert not [pid for pid in second if Path(f"/proc/{pid}").exists()]


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        done = volact("serve", "--listen", where, "--database", str(tmp_path / "volact.db"))
    assert (done.returncode, done.stderr) == (
        2, f"volact: {where}: the port is in use (choose another with --listen)\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--listen", "nowhere"), "'nowhere' is not HOST:PORT (such as 127.0.0.1:8088)"),
        (("--listen", "x:" + "9" * 5000), "is not HOST:PORT (such as 127.0.0.1:8088)"),
        (("--listen", "a..b:1"), "a..b:1: cannot listen: the name does not resolve"),
        (("--tls-key", "x"), "--tls-certificate and --tls-key are given together"),
        (("--tls-key", "x", "--tls-certificate", "y"), "y, x: these are no TLS certificate"),
        (("--public-url", "volact.example"), "is not the address of a service"),
        (("--public-url", "https://[v"), "'https://[v' is not the address of a service"),
        (("--trust-proxy", "everyone"), "'everyone' is no IP address or network"),
        (("--oidc", "/nowhere/oidc.toml"), "/nowhere/oidc.toml: No such file"),
        (("--database", "none"), "the service needs a database"),
        (("--demo", "--database", "x"), "--demo has a database of its own"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    database = () if "--database" in options else ("--database", str(tmp_path / "volact.db"))
    listen = () if "--listen" in options else ("--listen", "127.0.0.1:0")
    done = volact("serve", *options, *database, *listen)
    assert (done.returncode, done.stderr.count("\n"), words in done.stderr) == (2, 1, True)


def test_a_database_that_is_too_new_is_one_line(tmp_path: Path) -> None:
    address = StoreAddress(file=tmp_path / "volact.db", shown="volact.db")
    with open_service_store(address) as store, store.engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {SERVICE.versions} SET version_num = '9999'"))
    done = volact("serve", "--listen", "127.0.0.1:0", "--database", str(address.file))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "created by a newer volact (version 9999" in done.stderr
    assert "or give --database another location)" in done.stderr


@pytest.mark.parametrize("used", [True, False])
def test_a_worker_makes_no_database(store_url: str, used: bool) -> None:
    """Neither a new one, nor in the store of runs that no service has used."""
    if used:
        open_store(store_url).close()
    command = [sys.executable, "-m", "volact", "worker", "--while-stdin", "--database", store_url]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    told = f"volact: {store_url}: there is no database of the service (volact serve creates it)\n"
    assert (done.returncode, done.stderr.decode()) == (2, told)
    found = open_store(store_url, create=False)
    assert (found is not None) == used
    if found is not None:
        with found:
            assert not sa.inspect(found.engine).has_table(SERVICE.versions)


def certificate(folder: Path) -> tuple[Path, Path]:
    """One of its own for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return files


@FORKED
def test_with_a_certificate_it_serves_tls(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    options = ("--tls-certificate", str(chain), "--tls-key", str(key), "--workers", "0")
    with serving(tmp_path / "volact.db", *options) as running:
        assert running.url.startswith("https://")
        with running.client(verify=False) as client:
            answer = sign_in(client, running.link)
    assert answer.headers["set-cookie"].startswith("__Host-volact=")
    assert answer.headers["strict-transport-security"].startswith("max-age=")


@FORKED
@pytest.mark.parametrize(
    ("trusted", "address"),
    [((), "127.0.0.1"), (("--trust-proxy", "127.0.0.0/8"), "203.0.113.9"),
     (("--trust-proxy", "192.0.2.1"), "127.0.0.1")],
)  # fmt: skip
def test_forwarded_headers_count_from_named_proxies_alone(
    tmp_path: Path, trusted: tuple[str, ...], address: str
) -> None:
    """The last address that no proxy of ours wrote: what a client adds in front is its own word."""
    database = tmp_path / "volact.db"
    with serving(database, "--workers", "0", *trusted) as running, running.client() as client:
        client.headers["x-forwarded-for"] = "198.51.100.1, 203.0.113.9"
        assert sign_in(client, running.link).status_code == 303
    listed = volact("audit", "--export", "--database", str(database)).stdout
    assert f'"address":"{address}","action":"sign-in"' in listed


@pytest.mark.parametrize(
    ("given", "seconds"), [(ServeOptions(), 75), (ServeOptions(keep_alive=620), 620)]
)
def test_a_connection_is_kept_for_longer_than_by_a_balancer(
    tmp_path: Path, given: ServeOptions, seconds: int
) -> None:
    """One that the service closes first is taken for a failed request (502)."""
    settings = settings_of(replace(given, database=str(tmp_path / "volact.db")))
    with open_service_store(settings.database) as store:
        assert server_config(make_parts(settings, store)).timeout_keep_alive == seconds


async def test_a_worker_that_cannot_be_started_is_started_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    program, began = tmp_path / "python", tmp_path / "began"
    monkeypatch.setattr(sys, "executable", str(program))
    stop, kill = asyncio.Event(), asyncio.Event()
    settings = ServiceSettings(database=StoreAddress(file=tmp_path / "volact.db"))
    keeping = asyncio.create_task(keep_worker(settings, stop, kill))
    while "a worker did not start" not in caplog.text:
        assert not keeping.done()
        await asyncio.sleep(0.01)
    new = tmp_path / "new"
    new.write_text(f"#!/bin/sh\ntouch '{began}'\nexec cat\n", "utf-8")
    new.chmod(0o700)
    new.rename(program)
    while not began.exists():
        await asyncio.sleep(0.01)
    stop.set()
    await keeping


WORKER = """#!{python}
import os, signal, sys
from pathlib import Path

def stopped(*_):
    Path("{folder}/how").write_text("killed")
    os._exit(1)

signal.signal(signal.SIGTERM, stopped)
Path("{folder}/path").write_text(os.environ["PYTHONPATH"])
Path("{folder}/path").rename("{folder}/began")
sys.stdin.read()
Path("{folder}/how").write_text("finished")
"""


async def test_a_worker_is_told_to_finish_without_a_signal_and_finds_volact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows what is sent in place of a signal kills; a single file is on no path."""
    program, began = tmp_path / "python", tmp_path / "began"
    program.write_text(WORKER.format(python=sys.executable, folder=tmp_path), "utf-8")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.syspath_prepend("/a/single/file.pyz")
    stop, kill = asyncio.Event(), asyncio.Event()
    settings = ServiceSettings(database=StoreAddress(file=tmp_path / "volact.db"))
    keeping = asyncio.create_task(keep_worker(settings, stop, kill))
    while not began.exists():
        assert not keeping.done()
        await asyncio.sleep(0.01)
    stop.set()
    await keeping
    assert (tmp_path / "how").read_text() == "finished"
    assert "/a/single/file.pyz" in began.read_text().split(os.pathsep)


def test_a_worker_that_lived_long_is_followed_at_once() -> None:
    waits = [0.0]
    for lived_s in (0, 3, 3, 3, 3, 3, 3, 3, 61, 0):
        waits.append(next_wait(waits[-1], lived_s))
    assert waits[1:] == [1, 2, 4, 8, 16, 32, 60, 60, 1, 2]
