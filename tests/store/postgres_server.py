"""A real PostgreSQL in a folder of its own, on a socket of its own, for as long as tests run."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

_PLACES = Path("/usr/lib/postgresql")
_START_S = 600.0
# Nothing here has to survive the machine.
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100")


def binaries() -> Path | None:
    """Where the newest installed PostgreSQL has its programs."""
    found = sorted(_PLACES.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    path = shutil.which("initdb")
    return Path(path).resolve().parent if path else None


class PostgresServer:
    """One cluster; every test gets a database of its own."""

    def __init__(self, programs: Path, *settings: str) -> None:
        self._programs = programs
        self._settings = (*_QUICK, "listen_addresses=", *settings)
        # The path of a socket is short: not the folder that pytest gives.
        self._folder = Path(tempfile.mkdtemp(prefix="vpg"))
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._log = self._folder / "log"

    def make(self) -> None:
        """Make the cluster."""
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        command = [str(self._programs / "initdb"), "-D", self._data, "-U", "postgres"]
        command += ["-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        subprocess.run(
            [*_not_as_root(), *command], check=True, capture_output=True, cwd=self._folder
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = [f"-c{word}" for word in self._settings]
        command = [str(self._programs / "postgres"), "-D", self._data, "-k", str(self._folder)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_not_as_root(), *command, *settings], stdout=log, stderr=log, cwd=self._folder
            )
        until = time.monotonic() + _START_S
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text(errors="replace")
            assert time.monotonic() < until, "PostgreSQL does not come up"
            time.sleep(0.05)

    def kill(self) -> None:
        """The database is gone from one moment to the next."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """It ends as it is asked to, and comes up again."""
        self._end(signal.SIGINT)
        self.start()

    def freeze(self) -> None:
        """All its processes stand still: nothing is refused, nothing answered."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """They go on."""
        self._signal_all(signal.SIGCONT)

    def stop(self) -> None:
        """End it and remove what it was."""
        self._end(signal.SIGINT)
        shutil.rmtree(self._folder)

    def new_database(self, like: str = "") -> str:
        """The URL of an empty database, or of a copy of the one with this URL."""
        name = f"t{next(self._numbers)}"
        template = urlsplit(like).path[1:] or "template1"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return self.url(name)

    def wait_until_left(self, url: str) -> None:
        """Return when nothing is connected to a database: it can be copied then."""
        query = b"SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            while connection.execute(query, [urlsplit(url).path[1:]]).fetchone() != (0,):
                time.sleep(0.05)

    def url(self, database: str) -> str:
        """The URL of a database; a slow machine's answer is waited for."""
        return f"postgresql://postgres@/{database}?host={self._folder}&connect_timeout=600"

    def commits(self, url: str) -> int:
        """How many transactions a database has committed."""
        with psycopg.connect(url) as connection:
            query = b"SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
            line = connection.execute(query).fetchone()
            assert line is not None
            return int(line[0])

    def cpu_s(self) -> float:
        """The CPU of all its processes so far."""
        assert self._process is not None
        own = self._process.pid
        found = Path(f"/proc/{own}/task/{own}/children").read_text().split()
        stats = (Path(f"/proc/{pid}/stat").read_text() for pid in (own, *found))
        ticks = (map(int, stat.rpartition(")")[2].split()[11:15]) for stat in stats)
        return sum(map(sum, ticks)) / os.sysconf("SC_CLK_TCK")

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.url("postgres")):
                return True
        except psycopg.OperationalError:
            return False

    def _signal_all(self, what: signal.Signals) -> None:
        assert self._process is not None
        parent = self._process.pid
        os.kill(parent, what)
        while what == signal.SIGSTOP and _state(parent) != "T":  # it makes children until then
            time.sleep(0.01)
        for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), what)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_START_S)
            self._process = None


def _state(pid: int) -> str:
    """As the kernel names it: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _not_as_root() -> list[str]:
    """PostgreSQL refuses to run as root; its package brings an account."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
