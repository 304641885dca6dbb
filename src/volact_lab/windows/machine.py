"""One simulated Windows Server: all its parts, wired together.

What a healthy server has beyond these parts is installed by ``setup``; what is
wrong with one is done to it in ``volact_lab.faults``.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from volact.model.profile import Edition
from volact_lab import codes
from volact_lab.errors import Ended, LabError, win32
from volact_lab.hosts.manners import MANNERS
from volact_lab.windows import acl, image
from volact_lab.windows.clock import Clock
from volact_lab.windows.environment import Environment
from volact_lab.windows.events import EventLog
from volact_lab.windows.files import Files, Node
from volact_lab.windows.language import LANGUAGES
from volact_lab.windows.licensing import Licensing
from volact_lab.windows.network import Network, Route
from volact_lab.windows.protection import FREE_BYTES
from volact_lab.windows.registry import Registry
from volact_lab.windows.releases import RELEASES
from volact_lab.windows.services import ServiceManager
from volact_lab.windows.spec import ShellName, Spec, World
from volact_lab.windows.store import TokenStore
from volact_lab.windows.w32time import TimeService

_DENIED_TO_USERS = "hkey_users\\s-1-5-19"

_SACLS = ("", "S:AINO_ACCESS_CONTROL", "S:PAINO_ACCESS_CONTROL")


# Another JavaScript engine than the lab's own: given the bridge, the prelude and a script,
# it runs the script and returns the uncaught error as text, or "".
OtherEngine = Callable[[Callable[..., object], str, str], str]


class Machine:
    """A server.  ``lock`` is held while something runs on it."""

    def __init__(self, spec: Spec, world: World) -> None:
        self.spec = spec
        self.world = world
        self.lock = threading.Lock()
        self.chance = random.Random(f"{spec.seed}/{spec.index}")
        self.release = RELEASES[spec.release]
        self.language = LANGUAGES[spec.language]
        self.name = spec.name.upper()[:15]
        self.edition = self._edition()
        self.sku = self.edition.skus[1 if spec.core and len(self.edition.skus) > 1 else 0]
        self.domain = spec.domain
        self.domain_role = 3 if spec.domain else 2
        self.elevated = True
        self.free_bytes = FREE_BYTES
        self.odd = ""  # the self-check of the agent that does not hold here, or what stops it
        self.shell: ShellName = spec.shell
        self.other_engine: OtherEngine | None = None
        self.unregistered: set[str] = set()  # COM classes that are not there
        self.failing: dict[str, int] = {}  # WMI properties that cannot be asked for, with the code
        self.not_yet: list[int] = []  # with what the first connections to WMI fail, as after a boot
        self.blocking: tuple[str, ...] = ()  # parts of queries and methods that never return
        self.never_returned: list[str] = []  # such calls, as they were made
        self.blocked = 0  # processes that one keeps running
        self.as_system = False
        self.stop_at: float | None = None
        self._ended = 0
        # What icacls writes behind a DACL: nothing, or the flags of an empty SACL.
        self.audit = _SACLS[spec.variant("sacl", len(_SACLS))]
        self.on_report: Callable[[str, LabError], None] = lambda _name, _error: None
        self._build()

    def _edition(self) -> Edition:
        for edition in self.world.editions:
            if self.release.build in edition.builds and edition.title == self.spec.edition:
                return edition
        raise LabError(f"no published key for {self.spec.release} {self.spec.edition}")

    def _build(self) -> None:
        spec, low = self.spec, self.spec.index % 250 + 2
        self.address = f"10.{spec.index // 62500 % 250}.{spec.index // 250 % 250}.{low}"
        self.gateway = self.address.rpartition(".")[0] + ".1"
        self.clock = Clock(bias=self.language.bias)
        self.files = Files(image.file_image(spec.release))
        kind = (spec.release, spec.language, self.edition.edition_id, spec.core, spec.cloud)
        self.registry = Registry(image.registry_image(*kind))
        self.registry.denied = self._denied
        self.services = ServiceManager(self.files, self.registry)
        self.network = Network(
            self.world.internet,
            list(self.world.dns),
            self._routes(),
            manner=MANNERS[spec.variant("kms-manner", len(MANNERS))],
            patience=self.world.patience,
        )
        self.events = EventLog(self.name)
        self.time = TimeService(self.registry, self.services, self.network, self.clock)
        self.network.idle = self.idle
        self.licensing = self._licensing()
        self.metadata: dict[str, str] = {}  # what the provider's service answers about it
        self._home()

    def _licensing(self) -> Licensing:
        return Licensing(
            self.release,
            self.sku,
            self.name,
            bool(self.domain),
            self.world.editions,
            self.registry,
            self.services,
            self.network,
            self.clock,
            self.events,
            TokenStore(self.release, self.files),
            cmid=str(uuid.UUID(int=self.chance.getrandbits(128), version=4)),
            by_flag=bool(self.spec.variant("kms-events")),
        )

    def _routes(self) -> list[Route]:
        provider = [Route(*route, self.gateway) for route in self.world.routes]
        default, everywhere = "0.0.0.0", "255.255.255.255"  # noqa: S104  # a route, not a listener
        return [
            Route(default, default, self.gateway),
            *provider,
            Route(self.address.rpartition(".")[0] + ".0", "255.255.255.0", default),
            Route("127.0.0.0", "255.0.0.0", default),
            Route("224.0.0.0", "240.0.0.0", default),
            Route(everywhere, everywhere, default),
        ]

    def _home(self) -> None:
        self.home = f"C:\\Users\\{self.spec.account}"
        self.temp = f"{self.home}\\AppData\\Local\\Temp"
        path = "C:\\Users"
        for part in self.temp.removeprefix("C:\\Users\\").split("\\"):
            path = f"{path}\\{part}"
            if self.files.find(path) is None:
                self.files.make_folder(path)

    # who acts, and whether it may

    @property
    def token(self) -> frozenset[str]:
        """The accounts that the session acts as."""
        if self.as_system:
            return acl.SYSTEM_TOKEN
        return acl.ADMIN_TOKEN if self.elevated else acl.ADMIN_TOKEN - {acl.ADMINISTRATORS}

    def need_admin(self) -> None:
        """WinFault unless the session is elevated."""
        if not self.elevated:
            raise win32(codes.ACCESS_DENIED)

    def _denied(self, path: str, write: bool) -> bool:
        if self.elevated:
            return False
        return path.startswith(_DENIED_TO_USERS) or (write and path.startswith("hkey_local"))

    # running

    def check_time(self) -> None:
        """Ended when what runs has run too long."""
        if self.stop_at is not None and time.monotonic() > self.stop_at:
            raise Ended

    def end_what_runs(self) -> None:
        """All that runs ends at its next step, as when its session is gone."""
        self._ended += 1
        if self.lock.locked():
            self.stop_at = 0.0

    @contextmanager
    def idle(self) -> Iterator[None]:
        """What runs waits for another machine; meanwhile others may run here."""
        if not self.lock.locked():
            yield
            return
        kept, ended = (self.stop_at, self.as_system, self.on_report), self._ended
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()
            self.stop_at, self.as_system, self.on_report = kept
            if self._ended != ended:
                self.stop_at = 0.0

    def report(self, error: LabError) -> None:
        """Report to the lab that something was asked for that it does not model."""
        self.on_report(self.spec.name, error)

    def encode(self, text: str) -> bytes:
        """Text as the console prints it."""
        return text.encode(self.language.oem, "replace")

    def environment(self) -> Environment:
        """The variables of a session of the login user."""
        domain = self.spec.user.rpartition("\\")[0] or self.name
        return Environment(
            {
                "SystemRoot": "C:\\Windows",
                "windir": "C:\\Windows",
                "SystemDrive": "C:",
                "ComSpec": "C:\\Windows\\System32\\cmd.exe",
                "PATH": "C:\\Windows\\System32;C:\\Windows;C:\\Windows\\System32\\wbem",
                "PATHEXT": ".COM;.EXE;.BAT;.CMD",
                "OS": "Windows_NT",
                "PROCESSOR_ARCHITECTURE": "x86" if self.odd == "bitness" else "AMD64",
                "ProgramData": "C:\\ProgramData",
                "COMPUTERNAME": self.name,
                "USERNAME": self.spec.account,
                "USERDOMAIN": domain,
                "USERPROFILE": self.home,
                "HOMEDRIVE": "C:",
                "HOMEPATH": self.home[2:],
                "TEMP": self.temp,
                "TMP": self.temp,
            }
        )

    @property
    def caption(self) -> str:
        """Win32_OperatingSystem.Caption."""
        edition = self.language.edition_word.format(self.edition.title)
        if self.spec.release.startswith("2008"):
            return f"Microsoft® Windows Server® {self.spec.release} {edition} "
        return f"Microsoft Windows Server {self.spec.release} {edition}"

    def licensing_file(self) -> Node:
        """The licensing program."""
        return self.files.stat(self.release.licensing_program)
