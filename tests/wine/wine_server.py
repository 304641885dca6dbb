"""A Windows Server for the tests: Wine behind a real OpenSSH server.

Makes an account, a Wine prefix of its own, and an sshd on the loopback whose
logins end in that prefix's ``cmd``; takes all of it away again.  What is
tested there is in the ``test_*`` files next to this one.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from held_port import held_port

# useradd fails where another process changes the machine's accounts: this one waits, wherever
# that one has its temporary files.
_ACCOUNTS = FileLock("/tmp/volact-wine-accounts.lock")

TEMP = "AppData/Local/Temp"

# %VOLACT_CMD% and not the command itself: Wine would escape its quotes, which
# cmd does not undo.  The second cmd is there for commands of its own (ver, dir).
_SHELL = """#!/bin/sh
export WINEPREFIX={prefix} WINEDEBUG=-all
[ "$1" = "-c" ] || exec {steady} wine '{cmd}'
export VOLACT_CMD="cmd.exe /c $2"
exec {steady} wine '{cmd}' /c %VOLACT_CMD%
"""

_SSHD = """Port {port}
ListenAddress 127.0.0.1
HostKey {base}/host_key
PidFile none
AuthorizedKeysFile {base}/user_key.pub
AllowUsers {user}
UsePAM no
StrictModes no
PasswordAuthentication yes
Subsystem sftp internal-sftp
"""


def _steady() -> tuple[str, ...]:
    """What starts a program at addresses that are not random, where the system lets it.

    Wine maps a page at 0x7FFE0000 and puts its heap behind 0x7D400000; Linux 6.9 and newer
    move that by up to 1 GB.  One start in some thousands has the heap upon that page, and ends
    with "failed to map the shared user data".
    """
    words = ("setarch", "-R")
    try:
        done = subprocess.run([*words, "true"], check=False, capture_output=True)
    except OSError:
        return ()
    return words if done.returncode == 0 else ()


STEADY = _steady()


def program(name: str) -> str:
    """Where one of Windows' own programs is: Wine starts two processes for a name alone."""
    return f"C:\\windows\\system32\\{name}.exe"


@dataclass(frozen=True)
class Ran:
    """What a command on the server printed and ended with."""

    stdout: str
    code: int
    stderr: str = ""


@dataclass
class WineServer:
    """One account, its prefix, and the sshd in front of it."""

    base: Path
    user: str
    password: str
    uid: int = -1
    gid: int = -1
    port: int = 0
    sshd: subprocess.Popen[bytes] | None = None

    @property
    def prefix(self) -> Path:
        """The Wine prefix."""
        return self.base / "prefix"

    @property
    def home(self) -> Path:
        """The account's folder, which is its Windows profile too."""
        return self.prefix / "drive_c" / "users" / self.user

    @property
    def temp(self) -> Path:
        """The profile's own temporary folder."""
        return self.home / TEMP

    @property
    def windows_temp(self) -> str:
        """The same folder as Windows names it."""
        return f"C:\\users\\{self.user}\\" + TEMP.replace("/", "\\")

    @property
    def key(self) -> Path:
        """The private key that may log in."""
        return self.base / "user_key"

    @property
    def known_hosts(self) -> Path:
        """A known_hosts file that holds this server's host key."""
        return self.base / "known_hosts"

    def start(self) -> None:
        """Make the account, the prefix and the SSH server."""
        self.base.chmod(0o755)
        self.prefix.mkdir()
        self._make_account()
        os.chown(self.prefix, self.uid, self.gid)
        self.run("wineboot", "-i", timeout=900)
        # A server does not go down when no user is logged in: services stay up.
        self.run("wineserver", "-w")
        self.run("wineserver", "-p")
        self.set_release("win2008r2")
        self.temp.mkdir(parents=True, exist_ok=True)
        for folder in (self.temp, *self.temp.parents):
            if folder.is_relative_to(self.home):
                os.chown(folder, self.uid, self.gid)
        (self.home / "C:").symlink_to(self.prefix / "drive_c")
        self._start_sshd()

    def _make_account(self) -> None:
        shell = self.base / "shell"
        words = {"prefix": self.prefix, "cmd": program("cmd"), "steady": " ".join(STEADY)}
        shell.write_text(_SHELL.format(**words))
        shell.chmod(0o755)
        account = ["useradd", "-M", "-l", "-d", str(self.home), "-s", str(shell), self.user]
        password = f"{self.user}:{self.password}\n"
        with _ACCOUNTS:
            subprocess.run(account, check=True)
            subprocess.run(["chpasswd"], input=password, text=True, check=True)
        entry = pwd.getpwnam(self.user)
        self.uid, self.gid = entry.pw_uid, entry.pw_gid

    def _start_sshd(self) -> None:
        for name in ("host_key", "user_key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.base / name], check=True
            )
        Path("/run/sshd").mkdir(exist_ok=True)
        with held_port() as self.port:
            config = self.base / "sshd_config"
            config.write_text(_SSHD.format(port=self.port, base=self.base, user=self.user))
            with (self.base / "sshd.log").open("wb") as log:
                self.sshd = subprocess.Popen(
                    ["/usr/sbin/sshd", "-D", "-e", "-f", config], stderr=log
                )
            while not _listens(self.port):
                said = self.base / "sshd.log"
                assert self.sshd.poll() is None, f"sshd has ended: {said.read_text()}"
                time.sleep(0.05)
        public = (self.base / "host_key.pub").read_text()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}")

    def run(self, *command: str, timeout: float = 900, **environment: str) -> Ran:
        """Run a program of Wine's as the account."""
        # A file: what the program leaves running would keep a pipe of errors open.
        with tempfile.TemporaryFile() as errors:
            done = subprocess.run(
                [*STEADY, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                timeout=timeout,
                check=False,
                cwd=self.home if self.home.is_dir() else "/",
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self.home),
                    "USER": self.user,
                    "LANG": "C.UTF-8",
                    "WINEPREFIX": str(self.prefix),
                    "WINEDEBUG": "-all",
                    **environment,
                },
            )
            errors.seek(0)
            stderr = errors.read().decode("utf-8", "replace")
        return Ran(done.stdout.decode("utf-8", "replace"), done.returncode, stderr)

    def prepare(self, *command: str, took: Callable[[], bool] | None = None) -> None:
        """Give one of Wine's own programs, until it took, what a test needs before it begins.

        Wine now and then ends a program with 1 that changed nothing.  That says nothing
        of volact, so it is given again, three times at most.  Whether it took says
        ``took`` if there is one, otherwise the exit code.
        """
        runs = []
        for _ in range(3):
            runs.append(self.tool(*command, WINEDEBUG="fixme-all"))
            if took() if took else runs[-1].code == 0:
                return
        raise AssertionError(f"{' '.join(command)}: {runs}")

    def cmd(self, line: str) -> Ran:
        """Run a line of cmd, as it would be typed."""
        return self._cmd(f"cmd.exe /c {line}", 900)

    def _cmd(self, line: str, timeout: float) -> Ran:
        return self.tool("cmd", "/c", "%VOLACT_CMD%", timeout=timeout, VOLACT_CMD=line)

    def run_file(self, script: bytes, name: str, timeout: float = 900) -> Ran:
        """Put a file into the temporary folder and run it there."""
        file = self.temp / name
        file.write_bytes(script)
        os.chown(file, self.uid, self.gid)
        return self._cmd(f'"{self.windows_temp}\\{name}"', timeout)

    def tool(self, name: str, *words: str, timeout: float = 900, **environment: str) -> Ran:
        """Run one of Windows' own programs."""
        return self.run("wine", program(name), *words, timeout=timeout, **environment)

    def registry(self, key: str, name: str) -> str | None:
        """A value as ``TYPE text``, as reg.exe prints it, or None."""
        for line in self.tool("reg", "query", key, "/v", name).stdout.splitlines():
            words = line.split(None, 2)
            if len(words) == 3 and words[0] == name:
                return f"{words[1]} {words[2]}"
        return None

    def set_registry(self, key: str, name: str, value: str, kind: str = "REG_SZ") -> None:
        """Write a value, as an operator would with reg.exe."""
        self.prepare("reg", "add", key, "/v", name, "/t", kind, "/d", value, "/f")

    def delete_key(self, key: str) -> None:
        """Remove a key with all below it."""
        self.tool("reg", "delete", key, "/f")

    def create_service(self, name: str, start: str = "demand") -> None:
        """A service that really starts: Wine's own print spooler under another name."""
        program = r"C:\windows\system32\spoolsv.exe"
        self.prepare(
            *("sc", "create", name, "binPath=", program, "start=", start),
            took=lambda: self.service_state(name) != "",
        )

    def service_state(self, name: str) -> str:
        """What ``sc query`` prints for a service, or ""."""
        for line in self.tool("sc", "query", name).stdout.splitlines():
            if line.strip().startswith("STATE"):
                return line.split()[-1]
        return ""

    def delete_service(self, name: str) -> None:
        """Stop and remove a service, and its key: Wine may come up again with the key alone."""
        self.tool("sc", "stop", name)
        self.tool("sc", "delete", name)
        self.delete_key(rf"HKLM\SYSTEM\CurrentControlSet\Services\{name}")

    def set_release(self, name: str) -> None:
        """Report another release of Windows: win2008, win2008r2, win81, win10."""
        self.prepare(
            *("winecfg", "-v", name),
            took=lambda: self.tool("winecfg", "-v").stdout.strip() == name,
        )

    def in_temp(self) -> list[str]:
        """What lies in the temporary folder now."""
        return sorted(entry.name for entry in self.temp.iterdir())

    def leftovers(self, besides: Sequence[str] = ()) -> list[str]:
        """What stays in the temporary folder, besides what was there."""
        return staying(lambda: [name for name in self.in_temp() if name not in besides])

    def stop(self) -> None:
        """Take away everything that ``start`` made."""
        if self.sshd is not None:
            self.sshd.terminate()
            self.sshd.wait(120)
        if self.uid >= 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.run("wineserver", "-k", timeout=20)
            _end_processes(self.uid)
            with _ACCOUNTS:
                subprocess.run(["userdel", self.user], check=False, stderr=subprocess.DEVNULL)
            shutil.rmtree(f"/tmp/.wine-{self.uid}", ignore_errors=True)
        shutil.rmtree(self.base, ignore_errors=True)


def staying(found: Callable[[], list[str]]) -> list[str]:
    """The files that are still found after a while.

    A deleted file goes when the last program that has it open has ended, which may
    be after the command that was waited for.
    """
    until = time.monotonic() + 60
    while (files := found()) and time.monotonic() < until:
        time.sleep(0.05)
    return files


def new_server() -> WineServer:
    """A server that does not run yet, under names that nothing else has."""
    tag = secrets.token_hex(4)
    base = Path(tempfile.mkdtemp(prefix=f"volact-wine-{tag}-"))
    return WineServer(base=base, user=f"volact{tag}", password=secrets.token_hex(12))


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _end_processes(uid: int) -> None:
    """End what the account still runs, each by its id."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                os.kill(int(entry.name), signal.SIGKILL)
