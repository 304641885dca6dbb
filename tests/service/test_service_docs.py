"""docs/service.md and the units: what can be checked of them is."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from migrated_store import migrated_store

from volact.cli.options.service import ServeOptions, WorkerOptions

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "release" / "systemd").glob("*.service"))
PAGE = (ROOT / "docs" / "service.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


def program(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None and os.environ.get("CI") != "true":
        pytest.skip(f"needs {name} (Debian: {package})")
    assert found, f"no {name}: CI has the package {package}"
    return found


def words(options: Any) -> set[str]:
    return {f"--{field.name.replace('_', '-')}" for field in dataclasses.fields(options)}


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_units(unit: Path, tmp_path: Path) -> None:
    """With a program that is there, and a user that is."""
    copy = tmp_path / unit.name
    text = unit.read_text("utf-8").replace("/opt/volact/bin/volact", "/bin/true")
    copy.write_text(text.replace("User=volact", "User=root"), "utf-8")
    analyze = program("systemd-analyze", "systemd")
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "volact" in line] == []


def test_the_units_use_options_that_there_are() -> None:
    assert [unit.name for unit in UNITS] == ["volact-serve.service", "volact-worker@.service"]
    for unit, options in zip(UNITS, (ServeOptions, WorkerOptions), strict=True):
        (line,) = re.findall(r"^ExecStart=(.*)$", unit.read_text("utf-8"), re.M)
        assert set(re.findall(r"--[a-z-]+", line)) <= words(options)


def test_the_page_uses_options_that_there_are() -> None:
    for verb, options in (("serve", ServeOptions), ("worker", WorkerOptions)):
        for line in re.findall(rf"volact {verb}((?:[^\n`]|\\\n)*)", PAGE):
            assert set(re.findall(r"--[a-z-]+", line)) <= words(options), line


def test_nginx_takes_the_example(tmp_path: Path) -> None:
    nginx = program("nginx", "nginx-light")
    (example,) = blocks("nginx")
    certificate, key = tmp_path / "fullchain.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
         certificate, "-days", "2", "-subj", "/CN=volact.example.com"],
        check=True, capture_output=True,
    )  # fmt: skip
    example = example.replace("/etc/volact/fullchain.pem", str(certificate))
    example = example.replace("/etc/volact/key.pem", str(key))
    file = tmp_path / "nginx.conf"
    file.write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{ access_log off;\n{example}\n}}\n"
    )
    done = subprocess.run(
        [nginx, "-t", "-c", str(file)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_prometheus_takes_the_example(tmp_path: Path) -> None:
    (example,) = blocks("yaml")
    folder = ROOT / "docs" / "monitoring"
    shutil.copy(folder / "volact-alerts.yaml", tmp_path)
    token = tmp_path / "token"
    token.write_text("t")
    (tmp_path / "prometheus.yml").write_text(
        example.replace("/etc/prometheus/volact-token", str(token))
    )
    assert yaml.safe_load(example)["scrape_configs"][0]["job_name"] == "volact"
    done = subprocess.run(
        [program("promtool", "prometheus"), "check", "config", str(tmp_path / "prometheus.yml")],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def committing(file: Path) -> Iterator[None]:
    """Another connection changes this database of 32 MB all the time, as workers do."""
    ended = threading.Event()

    def commit() -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            while not ended.wait(0.001):
                connection.execute("UPDATE filler SET beat = beat + 1 WHERE id = 1")

    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE filler (id INTEGER PRIMARY KEY, beat INTEGER, data BLOB)")
        connection.executemany(
            "INSERT INTO filler (beat, data) VALUES (0, ?)", ((bytes(32_000),) for _ in range(1000))
        )
        connection.commit()
    writer = threading.Thread(target=commit)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()


def test_the_backup_of_sqlite_ends_while_workers_write_and_serves_again(tmp_path: Path) -> None:
    """``.backup`` begins anew at each commit of another process."""
    (commands,) = (block for block in blocks("sh") if "sqlite3" in block)
    program("sqlite3", "sqlite3")
    live, backup = tmp_path / "live", tmp_path / "backup"
    for folder in (live, backup):
        folder.mkdir()
    migrated_store(live / "volact.db").close()
    commands = commands.replace("/var/lib/volact", str(live)).replace("/backup", str(backup))
    with committing(live / "volact.db"), committing(live / "volact-engine.db"):
        done = subprocess.run(
            ["sh", "-c", commands], check=False, capture_output=True, text=True, timeout=120
        )
    assert (done.returncode, done.stderr) == (0, "")
    store, engine = sorted(backup.iterdir())  # no other files belong to them
    assert re.sub(r"\d", "0", engine.name) == "volact-engine-00000000T000000.db"
    assert store.name == engine.name.replace("-engine", "")
    for copy in (store, engine):
        assert copy.stat().st_mode & 0o777 == 0o600
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("SELECT COUNT(*) FROM filler").fetchone() == (1000,)
    with migrated_store(store) as opened, opened.engine.connect() as restored:
        assert restored.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
