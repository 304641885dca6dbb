"""What the WinRM service of one server does: the six actions of a remote shell."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Awaitable, Callable
from xml.sax.saxutils import escape

from volact_lab.errors import LabError
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot
from volact_lab.winrm import names
from volact_lab.winrm.commands import Command, Input
from volact_lab.winrm.envelope import Request, answer, seconds
from volact_lab.winrm.faults import (
    Fault,
    aborted,
    access_denied,
    envelope_too_large,
    no_such_action,
    not_xml,
    timed_out,
)
from volact_lab.winrm.shells import Shells, quota_of

# Of an answer's envelope, what is not output.
_FRAME = 4096


class Service:
    """The service behind one listener."""

    def __init__(self, slot: Slot, pool: Pool) -> None:
        self.slot = slot
        self._pool = pool
        self.waits = 0  # requests for output that ended without any
        self.late: list[Fault | None] = []  # what answers the next inputs, which are taken first
        self.quota = quota_of(slot.spec.release)
        self.shells = Shells(self.quota)
        self._running: set[asyncio.Task[None]] = set()
        self._actions: dict[str, Callable[[Request, str], Awaitable[str]]] = {
            names.CREATE: self._create,
            names.COMMAND: self._command,
            names.SEND: self._send,
            names.RECEIVE: self._receive,
            names.SIGNAL: self._signal,
            names.DELETE: self._delete,
        }

    @property
    def stack(self) -> str:
        """The version of WinRM."""
        return "2.0" if self.quota.old else "3.0"

    async def answer(self, request: Request, user: str, size: int) -> bytes:
        """Do what a user asks for; raises Fault."""
        if size > self.quota.envelope_kb * 1024:
            raise envelope_too_large(self.quota.envelope_kb)
        action = self._actions.get(request.action)
        if action is None or request.resource != names.CMD:
            raise self._not_modelled(request.action)
        if not self.slot.machine.elevated:
            raise access_denied()
        return answer(request, await action(request, user))

    async def stop(self) -> None:
        """End everything that runs."""
        self.shells.clear()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _not_modelled(self, what: str) -> Fault:
        self.slot.on_report(self.slot.spec.name, LabError(f"WinRM: {what}"))
        return no_such_action(what)

    async def _create(self, request: Request, user: str) -> str:
        shell = self.shells.open(
            user,
            profile=not request.flag("WINRS_NOPROFILE"),
            code_page=request.options.get("WINRS_CODEPAGE", ""),
            idle_s=seconds(request.text("rsp:Shell/rsp:IdleTimeOut"), 0.0),
        )
        selector = f'<w:SelectorSet><w:Selector Name="ShellId">{shell.id}</w:Selector>'
        return (
            f"<x:ResourceCreated><a:Address>{escape(request.to)}</a:Address>"
            f"<a:ReferenceParameters><w:ResourceURI>{names.CMD}</w:ResourceURI>"
            f"{selector}</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
            f"<rsp:Shell><rsp:ShellId>{shell.id}</rsp:ShellId>"
            f"<rsp:ResourceUri>{names.CMD}</rsp:ResourceUri><rsp:Owner>{escape(user)}</rsp:Owner>"
            f"<rsp:IdleTimeOut>PT{shell.idle_s:.3f}S</rsp:IdleTimeOut>"
            "<rsp:InputStreams>stdin</rsp:InputStreams>"
            "<rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"
        )

    async def _command(self, request: Request, user: str) -> str:
        shell = self.shells.get(request.shell_id, user)
        words = [request.text("rsp:CommandLine/rsp:Command")]
        words += [item.text or "" for item in request.every("rsp:CommandLine/rsp:Arguments")]
        if request.flag("WINRS_SKIP_CMD_SHELL"):
            raise self._not_modelled("WINRS_SKIP_CMD_SHELL")
        line = " ".join(words)
        command = Command(self.slot, self._pool, line, Input(), shell.variables, shell.code_page)
        self.shells.admit(shell, command)
        task = asyncio.create_task(command.run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return (
            "<rsp:CommandResponse>"
            f"<rsp:CommandId>{command.id}</rsp:CommandId></rsp:CommandResponse>"
        )

    async def _send(self, request: Request, user: str) -> str:
        shell = self.shells.get(request.shell_id, user)
        for stream in request.every("rsp:Send/rsp:Stream"):
            try:
                data = base64.b64decode(stream.text or "", validate=True)
            except binascii.Error as error:
                raise not_xml() from error
            command = shell.command(stream.get("CommandId", ""))
            command.stdin.feed(data, end=stream.get("End", "").lower() in {"true", "1"})
        if self.late and (fault := self.late.pop(0)):
            raise fault
        return "<rsp:SendResponse/>"

    async def _receive(self, request: Request, user: str) -> str:
        shell = self.shells.get(request.shell_id, user)
        command = shell.command(request.one("rsp:Receive/rsp:DesiredStream").get("CommandId", ""))
        wait_s = min(request.timeout_s, self.quota.longest_wait_s)
        try:
            async with asyncio.timeout(wait_s):
                await command.changed.wait()
        except TimeoutError as error:
            self.waits += 1
            raise timed_out() from error
        finally:
            shell.touched = time.monotonic()
        if command.aborted:
            raise aborted()
        return _output(command, max(request.max_envelope - _FRAME, 1024) // 4 * 3)

    async def _signal(self, request: Request, user: str) -> str:
        shell = self.shells.get(request.shell_id, user)
        command = shell.command(request.one("rsp:Signal").get("CommandId", ""))
        code = request.text("rsp:Signal/rsp:Code").lower()
        if code not in {names.TERMINATE, names.CTRL_C, names.CTRL_BREAK}:
            raise not_xml()
        command.abort()
        shell.commands.pop(command.id, None)
        return "<rsp:SignalResponse/>"

    async def _delete(self, request: Request, user: str) -> str:
        self.shells.delete(self.shells.get(request.shell_id, user))
        return ""


def _output(command: Command, room: int) -> str:
    """The next piece of output; with the last piece, that it is done."""
    streams = []
    for name in ("stdout", "stderr"):
        data: bytes = getattr(command, name)
        piece, rest = data[:room], data[room:]
        setattr(command, name, rest)
        room -= len(piece)
        if piece:
            streams.append(_stream(command, name, base64.b64encode(piece).decode()))
    if command.stdout or command.stderr:
        state = f'<rsp:CommandState CommandId="{command.id}" State="{names.RUNNING}"/>'
    else:
        streams += [_stream(command, name, "", end=' End="true"') for name in ("stdout", "stderr")]
        state = (
            f'<rsp:CommandState CommandId="{command.id}" State="{names.DONE}">'
            f"<rsp:ExitCode>{command.exit_code}</rsp:ExitCode></rsp:CommandState>"
        )
    return f"<rsp:ReceiveResponse>{''.join(streams)}{state}</rsp:ReceiveResponse>"


def _stream(command: Command, name: str, text: str, end: str = "") -> str:
    return f'<rsp:Stream Name="{name}" CommandId="{command.id}"{end}>{text}</rsp:Stream>'
