"""The WinRM listeners of the fleet: one for each server, on a port of its own.

What they share is made once: certificates, accounts, threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from spnego.exceptions import SpnegoError

from volact_lab.listening import StreamListener
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot
from volact_lab.windows.spec import Spec
from volact_lab.winrm import envelope, sealing
from volact_lab.winrm.faults import Fault
from volact_lab.winrm.http import Connection, Headers, Reply
from volact_lab.winrm.identity import Identities, Shown
from volact_lab.winrm.login import Login
from volact_lab.winrm.service import Service
from volact_lab.winrm.users import Users

_SOAP = "application/soap+xml;charset=UTF-8"
_OUT_OF_ORDER = b"<html><body>The service is unavailable.</body></html>"
_NO_SOAP = b"<html>volact lab: this is not SOAP at all, and there is much of it</html>" * 8


def over_tls(slot: Slot) -> bool:
    """Whether a server's listener is HTTPS: half of them, and where it matters."""
    return slot.spec.key_login or slot.line == "host-key" or _drawn(slot.spec)


def _drawn(spec: Spec) -> bool:
    return spec.variant("winrm-tls") == 1


@dataclass
class WinRmFront:
    """All WinRM listeners of a lab."""

    password: str
    pool: Pool
    idle_s: float = 120.0  # after so long http.sys closes a connection, and its login ends
    services: dict[str, Service] = field(default_factory=dict)
    _listeners: list[StreamListener] = field(default_factory=list)
    _folder: TemporaryDirectory[str] | None = None
    _identities: Identities | None = None
    _users: Users | None = None

    @property
    def identities(self) -> Identities:
        """The certificates; there once the lab has been started."""
        assert self._identities is not None, "the lab has not been started"
        return self._identities

    @property
    def connections(self) -> int:
        """How many connections are open, of all servers."""
        return sum(listener.connections for listener in self._listeners)

    def start(self, slots: Iterable[Slot]) -> None:
        """Make what the listeners share."""
        self._folder = TemporaryDirectory(prefix="volact-lab-")
        folder = Path(self._folder.name)
        self._identities = Identities(folder)
        names = {slot.spec.user for slot in slots}
        self._users = Users(folder / "users", names, self.password)

    async def listen(self, slot: Slot) -> None:
        """Start one server's listener on a free loopback port."""
        service = Service(slot, self.pool)
        self.services[slot.spec.name] = service
        shown = self._shown(slot)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(service, shown, reader, writer)

        listener = StreamListener(connected, tls=shown.context if shown else None)
        slot.port = await listener.start()
        self._listeners.append(listener)

    async def elapse(self, seconds: float) -> None:
        """Do what Windows does when no request comes for so long; nothing is waited for."""
        for service in self.services.values():
            service.shells.elapse(seconds)
        if seconds > self.idle_s:
            await asyncio.gather(*(listener.hang_up() for listener in self._listeners))

    async def stop(self) -> None:
        """Close every listener, connection and shell."""
        await asyncio.gather(*(listener.stop() for listener in self._listeners))
        self._listeners.clear()
        for service in self.services.values():
            await service.stop()
        if self._folder is not None:
            self._folder.cleanup()

    def _shown(self, slot: Slot) -> Shown | None:
        if not over_tls(slot):
            return None
        return self.identities.unknown if slot.line == "host-key" else self.identities.known

    async def _serve(
        self,
        service: Service,
        shown: Shown | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        assert self._users is not None
        service.slot.connections += 1
        tls = writer.get_extra_info("ssl_object")
        bindings = shown.bindings if shown else None
        login = Login(service.slot, self._users, self.password, tls, bindings)
        caller = _Caller(service, login)
        caller.peer = int(writer.get_extra_info("peername")[1])
        await Connection(reader, writer, caller.answer, idle_s=self.idle_s).serve()


@dataclass
class _Caller:
    """One connection and who is at its other end."""

    service: Service
    login: Login
    peer: int = 0

    async def answer(self, target: str, headers: Headers, body: bytes) -> Reply:
        """Answer one request."""
        self.service.slot.requests += 1
        if (struck := self._struck()) is not None:
            return struck
        if "wsmanidentify" in headers and envelope.is_identify(body):
            return Reply(200, envelope.identified(self.service.stack), _SOAP)
        if not self.login.prove(headers.get("authorization", "")):
            schemes = [self.login.sent] if self.login.sent else self.login.schemes
            return Reply(401, extra=[("WWW-Authenticate", scheme) for scheme in schemes])
        extra = [("WWW-Authenticate", self.login.sent)] if self.login.sent else []
        if target != "/wsman":
            return Reply(404, extra=extra)
        if not body:
            return Reply(200, extra=extra)
        return await self._sealed(headers, body, extra)

    def _struck(self) -> Reply | None:
        """The answer to a request that trouble has come between."""
        act = self.service.slot.reached("request", self.peer)
        if act is None or act == "slow":
            return None
        if act == "deny":
            return Reply(401 if self.service.slot.denies_login else 500, _OUT_OF_ORDER)
        return Reply(200, _NO_SOAP * (4096 if act == "flood" else 1), _SOAP)

    async def _sealed(self, headers: Headers, body: bytes, extra: list[tuple[str, str]]) -> Reply:
        """Answer in the form in which the question came; in clear over TLS alone."""
        seal = self.login.seal
        if not headers.get("content-type", "").startswith("multipart/encrypted"):
            if self.login.tls is None:
                return Reply(500, extra=extra)
            status, text = await self._soap(body)
            return Reply(status, text, _SOAP, extra)
        if seal is None:
            return Reply(500, extra=extra)
        try:
            message = sealing.unseal(body, seal)
        except (sealing.NotSealed, SpnegoError):
            return Reply(400, extra=extra)
        status, text = await self._soap(message)
        return Reply(status, sealing.sealed(text, seal), sealing.CONTENT_TYPE, extra)

    async def _soap(self, message: bytes) -> tuple[int, bytes]:
        request = None
        try:
            request = envelope.read(message)
            return 200, await self.service.answer(request, self.login.user, len(message))
        except Fault as problem:
            asked = request.message_id if request else ""
            return 500, envelope.fault(problem, asked, "127.0.0.1")
