"""One command of a remote shell: its input, its output, its end.

The process itself is simulated as a whole: output appears when it has ended.
"""

from __future__ import annotations

import asyncio
import random
import threading
import uuid
from dataclasses import dataclass, field

from volact_lab.errors import Ended
from volact_lab.session import Result, Start, execute
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.slot import Slot
from volact_lab.ssh.tamper import tamper

LONGEST_LINE = 8191
_LIMIT_S = 300.0
# How long a program takes to start: input that comes at once is there by then.
_START_S = 0.05
_TOO_LONG = b"The command line is too long.\r\n"


class Input:
    """A standard input that a client sends piece by piece."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._closed = threading.Event()
        self.killed = False

    def feed(self, data: bytes, *, end: bool) -> None:
        """Take a piece; after the last nothing reads any more."""
        self._parts.append(data)
        if end:
            self._closed.set()

    def kill(self) -> None:
        """Every task that waits here ends."""
        self.killed = True
        self._closed.set()

    @property
    def size(self) -> int:
        """How much has come."""
        return sum(map(len, self._parts))

    @property
    def ended(self) -> bool:
        """Whether all of it has come."""
        return self._closed.is_set()

    def read(self) -> bytes:
        """Everything up to the end; waits for it."""
        if not self._closed.wait(_LIMIT_S) or self.killed:
            raise Ended
        return b"".join(self._parts)


@dataclass
class Command:
    """A command that a client has asked for."""

    slot: Slot
    pool: Pool
    line: str
    stdin: Input
    variables: dict[str, str]
    code_page: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()).upper())
    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int | None = None
    aborted: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Run it to its end, or for ever where the line is one that hangs."""
        await self._begin()
        counted = self._count()
        result = await self._result()
        if not counted:  # on a busy machine its input came later than it was waited for
            self._count()
        if self.slot.line == "hang" and self.stdin.size and not self.aborted:
            await self.changed.wait()
        if self.aborted:
            return
        chance = random.Random(
            f"{self.slot.spec.seed}/{self.slot.spec.index}/{self.slot.executions}"
        )
        self.stdout = self._as_asked(tamper(result.stdout, self.slot.line, chance))
        self.stderr = self._as_asked(result.stderr)
        self.exit_code = result.exit_code & 0xFFFFFFFF
        self.changed.set()

    def abort(self) -> None:
        """End it at once."""
        if self.exit_code is None:
            self.aborted = True
            self.stdin.kill()
            self.changed.set()

    async def _begin(self) -> None:
        for _ in range(int(_START_S / 0.01)):
            if self.stdin.ended:
                break
            await asyncio.sleep(0.01)

    def _count(self) -> bool:
        """A command without input is housekeeping; one with a script is an execution."""
        self.slot.executions += bool(self.stdin.size)
        return bool(self.stdin.size)

    async def _result(self) -> Result:
        if len(self.line) > LONGEST_LINE:
            return Result(1, b"", _TOO_LONG)
        try:
            return await self.pool.run(self._execute, _LIMIT_S + 5)
        except TimeoutError:
            return Result(1, b"", b"lab: the command did not end\r\n")

    def _execute(self) -> Result:
        if self.aborted:
            return Result(1, b"", b"")
        start = Start("cmd", self.stdin, self.variables)
        return execute(self.slot.machine, self.line, limit_s=_LIMIT_S, start=start)

    def _as_asked(self, output: bytes) -> bytes:
        """Output in the code page of the shell instead of the server's own."""
        if not self.code_page:
            return output
        text = output.decode(self.slot.machine.language.oem, "replace")
        return text.encode(self.code_page, "replace")
