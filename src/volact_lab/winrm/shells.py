"""The remote shells of one server, within the limits that its WinRM has.

A shell stays until it is deleted or has been idle too long: one that a client
leaves open counts against the user until then.
"""

from __future__ import annotations

import codecs
import time
import uuid
from dataclasses import dataclass, field

from volact_lab.winrm.commands import Command
from volact_lab.winrm.faults import no_command, no_shell, too_many_commands, too_many_shells

_OLD = ("2008", "2008 R2")  # WinRM 2.0
_IDLE_S = 7200.0
_SHORTEST_IDLE_S = 60.0


@dataclass(frozen=True, slots=True)
class Quota:
    """The defaults of a release."""

    old: bool
    shells: int
    commands: int
    envelope_kb: int = 150
    longest_wait_s: float = 60.0


def quota_of(release: str) -> Quota:
    """The default limits of a release."""
    old = release in _OLD
    return Quota(old, 5, 15) if old else Quota(old, 30, 25)


@dataclass
class Shell:
    """One shell of one user."""

    user: str
    variables: dict[str, str]
    code_page: str
    idle_s: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()).upper())
    commands: dict[str, Command] = field(default_factory=dict)
    touched: float = field(default_factory=time.monotonic)

    @property
    def idle(self) -> bool:
        """Whether it has been left alone too long."""
        return time.monotonic() - self.touched > self.idle_s

    def command(self, command_id: str) -> Command:
        """One of its commands, or a fault."""
        found = self.commands.get(command_id.upper())
        if found is None:
            raise no_command()
        return found

    def close(self) -> None:
        """End all that runs in it."""
        for command in self.commands.values():
            command.abort()
        self.commands.clear()


class Shells:
    """All shells of one server."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self._open: dict[str, Shell] = {}
        self.most = 0

    def __len__(self) -> int:
        self._sweep()
        return len(self._open)

    @property
    def opened(self) -> tuple[Shell, ...]:
        """Those that are open."""
        self._sweep()
        return tuple(self._open.values())

    def open(self, user: str, *, profile: bool, code_page: str, idle_s: float) -> Shell:
        """A new shell, or a fault when the user has too many."""
        self._sweep()
        own = sum(shell.user == user for shell in self._open.values())
        if own >= self.quota.shells:
            raise too_many_shells(self.quota.shells, old=self.quota.old)
        temp = {} if profile else dict.fromkeys(("TEMP", "TMP"), "C:\\Windows\\TEMP")
        shell = Shell(user, temp, _codec(code_page), max(idle_s or _IDLE_S, _SHORTEST_IDLE_S))
        self._open[shell.id] = shell
        self.most = max(self.most, len(self._open))
        return shell

    def get(self, shell_id: str, user: str) -> Shell:
        """A shell of that user, or a fault."""
        self._sweep()
        shell = self._open.get(shell_id.upper())
        if shell is None or shell.user != user:
            raise no_shell(shell_id)
        shell.touched = time.monotonic()
        return shell

    def admit(self, shell: Shell, command: Command) -> None:
        """Put a command into a shell, or a fault when it has too many."""
        if len(shell.commands) >= self.quota.commands:
            raise too_many_commands()
        shell.commands[command.id] = command

    def delete(self, shell: Shell) -> None:
        """Close a shell and everything in it."""
        shell.close()
        self._open.pop(shell.id, None)

    def elapse(self, seconds: float) -> None:
        """As if no request had come for so long."""
        for shell in self._open.values():
            shell.touched -= seconds

    def clear(self) -> None:
        """Close all."""
        for shell in tuple(self._open.values()):
            self.delete(shell)

    def _sweep(self) -> None:
        for shell in tuple(self._open.values()):
            if shell.idle:
                self.delete(shell)


def _codec(code_page: str) -> str:
    """Python's name of a code page; ``""`` keeps the server's own."""
    if code_page in {"", "65001"}:
        return "utf-8" if code_page else ""
    try:
        return codecs.lookup(f"cp{code_page}").name
    except LookupError:
        return ""
