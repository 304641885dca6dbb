"""Passwords, fetched at the last moment and never shown.

A ``Credential`` names the source of a password; here it is read.  A source that
several servers share is asked once in a run.  What a password is used for is
the transport's affair.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from functools import partial

from volact.bounded.files import own_path, read_named
from volact.bounded.memory import Secret
from volact.errors import InputError, unreadable
from volact.model.server import Credential
from volact.model.text import say
from volact.threads import BlockingCalls

_COMMAND_S = 60.0
_MAX_SECRET = 4096
_MAX_FILE = 1024 * 1024


# Files that are read may be pipes, which take their time; one at a time, because what is
# read of a pipe is kept for the next that wants it.
_files = BlockingCalls(1, name="volact-secrets")


class Secrets:
    """The passwords of one run; each source is asked once."""

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        held: Mapping[str, Secret | InputError] | None = None,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._held = held or {}  # secrets in clear in an inventory file
        self._fetched: dict[Credential, asyncio.Task[Secret | None]] = {}

    async def password(self, credential: Credential) -> Secret | None:
        """The password of a login, ``None`` when it names no source."""
        if credential.password_held:
            return self._from_inventory(credential.password_held)
        source = _source(credential)
        task = self._fetched.get(source)
        if task is None:
            task = asyncio.ensure_future(fetch_password(source, self._environ))
            self._fetched[source] = task
        # One server that stops waiting must not take the answer from the others.
        return await asyncio.shield(task)

    def _from_inventory(self, place: str) -> Secret:
        held = self._held.get(place)
        if isinstance(held, Secret):
            return held
        raise held or InputError(say("the password is no longer available"), where=place)


def _source(credential: Credential) -> Credential:
    """Where the password is, without what is else of the login: several logins may share it."""
    return Credential(
        user=credential.user if credential.keyring else "",
        password_env=credential.password_env,
        password_file=credential.password_file,
        password_command=credential.password_command,
        keyring=credential.keyring,
    )


async def fetch_password(
    credential: Credential, environ: Mapping[str, str], command_s: float = _COMMAND_S
) -> Secret | None:
    """Read the password from the credential's source."""
    if credential.password_env:
        return _from_environment(credential.password_env, environ)
    if credential.password_file:
        return await _files.run(partial(_from_file, credential.password_file))
    if credential.password_command:
        return await _from_command(credential.password_command, command_s)
    if credential.keyring:
        return await asyncio.to_thread(_from_keyring, credential.keyring, credential.user)
    return None


def _from_environment(name: str, environ: Mapping[str, str]) -> Secret:
    value = environ.get(name, "")
    if not value:
        raise InputError(
            say("the environment variable {name} is not set", name=name),
            say("export it, then try again"),
        )
    return Secret(value)


def _from_file(path: str) -> Secret:
    try:
        text = read_named(own_path(path), most=_MAX_FILE).decode("utf-8-sig")
    except OSError as error:
        raise unreadable(error, path) from error
    except UnicodeDecodeError as error:
        raise InputError(say("is not UTF-8 text"), say("save it as UTF-8"), where=path) from error
    return _first_line(text, path)


async def _from_command(command: tuple[str, ...], wait_s: float) -> Secret:
    """Run a program, without a shell, and take the first line it prints."""
    where = say("password-command {command}", command=command[0])
    try:
        process, asked = await asyncio.get_running_loop().subprocess_exec(
            _PasswordCommand, *command, stdin=asyncio.subprocess.DEVNULL, stderr=None
        )
    except OSError as error:
        raise InputError(error.strerror or say("cannot be started"), where=where) from error
    try:
        async with asyncio.timeout(wait_s):
            await asked.done.wait()
    except TimeoutError as error:
        raise InputError(
            say("no answer within {seconds} s", seconds=f"{wait_s:g}"), where=where
        ) from error
    finally:
        if process.get_returncode() is None:
            process.kill()
            await asked.exited.wait()
        process.close()
    if process.get_returncode():
        raise InputError(
            say("ended with exit status {code}", code=process.get_returncode()), where=where
        )
    return _first_line(asked.output.decode("utf-8-sig", errors="replace"), where)


class _PasswordCommand(asyncio.SubprocessProtocol):
    """The start of what a program prints, up to its end and the end of its first line.

    The end of the pipe may never come: a program that was started in the background
    (an agent of GnuPG) can hold it open.
    """

    def __init__(self) -> None:
        self.output = bytearray()
        self.done, self.exited = asyncio.Event(), asyncio.Event()
        self._closed = False

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.output += data[: 4 * _MAX_SECRET - len(self.output)]
        self._check()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._closed = True
        self._check()

    def process_exited(self) -> None:
        self.exited.set()
        self._check()

    def _check(self) -> None:
        if self.exited.is_set() and (self._closed or b"\n" in self.output):
            self.done.set()


def _from_keyring(service: str, user: str) -> Secret:
    try:
        import keyring.errors  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise InputError(
            say("keyring is not installed"),
            "pip install 'volact[keyring]'",
            where="keyring",
        ) from error
    try:
        value = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise InputError(
            say("the keyring cannot be read: {error}", error=str(error)), where="keyring"
        ) from error
    if not value:
        raise InputError(
            say("no password for {user} under {service}", user=user, service=service),
            say("store it with: keyring set {service} {user}", service=service, user=user),
            where="keyring",
        )
    return Secret(value)


def _first_line(text: str, where: str) -> Secret:
    line = text.split("\n", 1)[0].rstrip("\r")[:_MAX_SECRET]
    if not line:
        raise InputError(say("holds no password in its first line"), where=where)
    return Secret(line)
