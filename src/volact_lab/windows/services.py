"""The service manager: start modes, states, and what keeps a service from starting.

A disabled service does not start; nor does one whose program may not be
executed by its account, or whose program is redirected to a debugger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from volact_lab import codes
from volact_lab.errors import win32
from volact_lab.windows import acl
from volact_lab.windows.files import Files
from volact_lab.windows.protection import SERVICE_SDDL
from volact_lab.windows.registry import Registry, dword, sz

Start = Literal["Boot", "System", "Auto", "Manual", "Disabled"]
State = Literal["Running", "Stopped"]

IFEO = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options"
KMS_PROGRAM = "SppExtComObj.exe"  # started by COM to speak KMS, since Server 2012
KEY = "HKLM\\SYSTEM\\CurrentControlSet\\Services"
_NUMBERS: dict[Start, int] = {"Boot": 0, "System": 1, "Auto": 2, "Manual": 3, "Disabled": 4}


@dataclass(slots=True)
class Service:
    """One service as the service manager holds it."""

    name: str
    display: str
    start: Start = "Auto"
    state: State = "Running"
    path: str = "C:\\Windows\\system32\\svchost.exe -k netsvcs"
    account: str = "LocalSystem"
    depends: tuple[str, ...] = ()
    delayed: bool = False
    stoppable: bool = True
    idle: bool = False  # it stops by itself a moment before it is told to
    pid: int = 0
    sddl: str = SERVICE_SDDL

    @property
    def program(self) -> str:
        """The full path of the program, without its arguments."""
        return self.path.split(" ", 1)[0]


@dataclass
class ServiceManager:
    """All services of a server.  Every failure is a WinFault of a Win32 number."""

    files: Files
    registry: Registry
    services: dict[str, Service] = field(default_factory=dict)
    on_start: dict[str, Callable[[], None]] = field(default_factory=dict)
    next_pid: int = 1200

    def add(self, service: Service) -> None:
        """Install a service, with its key in the registry."""
        self.services[service.name.lower()] = service
        if service.state == "Running":
            self._run(service)
        key = f"{KEY}\\{service.name}"
        image = service.path.replace("C:\\Windows\\", "%SystemRoot%\\")
        self.registry.set(key, "ImagePath", sz(image))
        self.registry.set(key, "ObjectName", sz(service.account))
        self._write_start(service)

    def find(self, name: str) -> Service | None:
        """The service of that name, or None."""
        return self.services.get(name.lower())

    def get(self, name: str) -> Service:
        """The service of that name; WinFault when there is none."""
        service = self.find(name)
        if service is None:
            raise win32(codes.SERVICE_DOES_NOT_EXIST, name)
        return service

    def configure(self, name: str, start: Start, *, delayed: bool = False) -> None:
        """Set the start mode, as ``sc config`` does."""
        service = self.get(name)
        service.start, service.delayed = start, delayed
        self._write_start(service)

    def read_keys(self) -> None:
        """Take start modes from the registry, as the service manager does at a restart."""
        modes = {number: start for start, number in _NUMBERS.items()}
        for service in self.services.values():
            key = f"{KEY}\\{service.name}"
            service.start = modes[self.registry.number(key, "Start") or 0]
            service.delayed = self.registry.number(key, "DelayedAutostart") == 1

    def start(self, name: str) -> None:
        """Start a service and what it depends on."""
        service = self.get(name)
        if service.state == "Running":
            raise win32(codes.SERVICE_ALREADY_RUNNING, name)
        if service.start == "Disabled":
            raise win32(codes.SERVICE_DISABLED, name)
        for needed in service.depends:
            self._start_needed(needed)
        self._launch(service)
        self._run(service)

    def stop(self, name: str) -> None:
        """Stop a service."""
        service = self.get(name)
        if service.idle:
            service.state, service.pid, service.idle = "Stopped", 0, False
        if service.state == "Stopped":
            raise win32(codes.SERVICE_NOT_ACTIVE, name)
        if not service.stoppable:
            raise win32(1052, name)
        if any(name.lower() in _lower(s.depends) for s in self.services.values() if s.pid):
            raise win32(1051, name)
        service.state, service.pid = "Stopped", 0

    def ensure(self, name: str) -> None:
        """Start a service unless it runs: what asking for it over RPC or COM does."""
        if self.get(name).state != "Running":
            self.start(name)

    def _start_needed(self, name: str) -> None:
        needed = self.find(name)
        if needed is None or (needed.state != "Running" and needed.start == "Disabled"):
            raise win32(codes.SERVICE_DEPENDENCY_FAIL, name)
        if needed.state != "Running":
            self.start(name)

    def _launch(self, service: Service) -> None:
        node = self.files.stat(service.program)
        if not node.dacl.allows(_token(service), acl.EXECUTE):
            raise win32(codes.ACCESS_DENIED, service.program)
        debugger = self.registry.text(f"{IFEO}\\{node.name}", "Debugger")
        if debugger:
            there = self.files.is_file(debugger.split(" ", 1)[0])
            raise win32(codes.SERVICE_REQUEST_TIMEOUT if there else codes.FILE_NOT_FOUND)

    def _run(self, service: Service) -> None:
        self.next_pid += 4
        service.state, service.pid = "Running", self.next_pid
        hook = self.on_start.get(service.name.lower())
        if hook:
            hook()

    def _write_start(self, service: Service) -> None:
        key = f"{KEY}\\{service.name}"
        self.registry.set(key, "Start", dword(_NUMBERS[service.start]))
        if service.delayed:
            self.registry.set(key, "DelayedAutostart", dword(1))
        elif self.registry.find(key, "DelayedAutostart"):
            self.registry.delete_value(key, "DelayedAutostart")


def _lower(names: tuple[str, ...]) -> set[str]:
    return {name.lower() for name in names}


def _token(service: Service) -> frozenset[str]:
    network = "networkservice" in service.account.lower().replace(" ", "")
    return acl.NETWORK_SERVICE_TOKEN if network else acl.SYSTEM_TOKEN
