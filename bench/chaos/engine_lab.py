"""A lab, a service's store and worker processes, for tests of the engine."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

import sqlalchemy as sa
from dbos import DBOSClient
from lab_process import Peephole

from volact.client.wire import RunInfo, RunSpec
from volact.service.access import Actor
from volact.service.app import utc_now
from volact.service.database.schema import open_service_store
from volact.service.database.tables import INVENTORIES
from volact.service.engine.control import EngineControl
from volact.service.engine.lease import beats
from volact.service.engine.worker import engine_url
from volact.service.run_list import find_run
from volact.store.address import parse_address
from volact.store.store import Store

OPERATOR = Actor(user="1", name="ann", role="operator")
_PAUSE_S = 0.1


class WorkerProcess(Protocol):
    """A worker process, as ``subprocess.Popen`` is one."""

    @property
    def pid(self) -> int:
        """Its number."""

    def poll(self) -> int | None:
        """Its exit code, ``None`` while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, at its end."""

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it at once."""


Program = Callable[[Sequence[str], BinaryIO], WorkerProcess]  # its words, and its log


def start(command: Sequence[str], words: Sequence[str], log: BinaryIO) -> subprocess.Popen[bytes]:
    """A command with these words, as a process."""
    return subprocess.Popen([*command, *words], stdin=subprocess.DEVNULL, stderr=log)


VOLACT_WORKER = partial(start, (sys.executable, "-m", "volact", "worker"))


class Service:
    """A service without a console: its store, and workers that are processes."""

    program: Program = VOLACT_WORKER

    def __init__(self, inventory: Path, store: Store, url: str, folder: Path) -> None:
        self.inventory = inventory
        self.store = store
        self.control = EngineControl(store, utc_now)
        self.workers: list[WorkerProcess] = []
        self._consoles: list[subprocess.Popen[bytes]] = []
        self._port = 0  # of the newest console
        self._url = url
        self._folder = folder
        self.set_inventory()

    def set_inventory(self, change: Callable[[str], str] = str) -> None:
        """The lab's inventory, changed; its paths are absolute, as they are in a service."""
        text = self.inventory.read_text("utf-8")
        text = text.replace('"lab.', f'"{self.inventory.parent}/lab.')
        row = {"name": "lab", "file": "lab.toml", "text": change(text), "updated": "2026-01-01"}

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(INVENTORIES))
            connection.execute(sa.insert(INVENTORIES), row)

        self.store.change(work)

    def start_worker(self, *words: str) -> WorkerProcess:
        """One more worker process."""
        with (self._folder / f"worker-{len(self.workers)}.log").open("wb") as log:
            self.workers.append(self.program(["--database", self._url, *words], log))
        return self.workers[-1]

    def start_console(self) -> subprocess.Popen[bytes]:
        """A console, on a free port."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        command = [sys.executable, "-m", "volact", "serve", "--database", self._url]
        command += ["--listen", f"127.0.0.1:{self._port}"]
        with (self._folder / f"console-{len(self._consoles)}.log").open("wb") as log:
            self._consoles.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log))
        return self._consoles[-1]

    def console_listens(self) -> bool:
        """Whether the newest console has begun; one that has ended does not begin any more."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port)):
            return True
        return self._consoles[-1].poll() is not None

    def console_said(self) -> str:
        """What the newest console printed last."""
        return (self._folder / f"console-{len(self._consoles) - 1}.log").read_text()[-300:]

    def end(self) -> None:
        """End every process."""
        for process in (*self.workers, *self._consoles):
            process.kill()
            process.wait()

    async def submit(self, spec: RunSpec) -> RunInfo:
        """Request a run."""
        return await self.control.submit(spec, OPERATOR)

    def info(self, run: str) -> RunInfo:
        """How far a run is."""
        return self.store.ask(lambda connection: find_run(connection, run))

    async def until(self, run: str, reached: Callable[[RunInfo], bool]) -> RunInfo:
        """Wait for something to be true of a run."""
        while not reached(info := self.info(run)):  # noqa: ASYNC110  (other processes act)
            await asyncio.sleep(_PAUSE_S)
        return info

    async def ended(self, run: str) -> RunInfo:
        """Wait for the end of a run."""
        return await self.until(run, lambda info: info.ended is not None)

    def alive(self) -> set[str]:
        """The ids of the workers that hold a lease."""
        return {*self.store.ask(beats)}

    @contextmanager
    def engine(self) -> Iterator[DBOSClient]:
        """What DBOS has of workflows; a worker has made its tables."""
        client = DBOSClient(system_database_url=engine_url(self.store.address))
        try:
            yield client
        finally:
            client.destroy()

    def said(self) -> str:
        """What the workers printed."""
        logs = sorted(self._folder.glob("worker-*.log"))
        return "\n".join(log.read_text("utf-8", "replace") for log in logs)


class EngineLab(Service):
    """A service over a lab that can be asked how its servers are."""

    def __init__(self, lab: Peephole, store: Store, url: str, folder: Path) -> None:
        super().__init__(lab.inventory, store, url, folder)
        self.lab = lab


@contextmanager
def engine_lab(
    folder: Path,
    servers: int,
    url: str = "",
    scenario: str = "simple",
    program: Program = VOLACT_WORKER,
) -> Iterator[EngineLab]:
    """A lab and a store for it; its workers are ended with it."""
    url = url or str(folder / "volact.db")
    address = parse_address(url)
    assert address is not None
    with Peephole(folder, scenario, servers, 1) as lab, open_service_store(address) as store:
        made = EngineLab(lab, store, url, folder)
        made.program = program
        try:
            yield made
        finally:
            made.end()
