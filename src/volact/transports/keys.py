"""Private keys of a run: each file is read once, without a prompt."""

from __future__ import annotations

from volact.bounded.files import own_path, read_named
from volact.errors import InputError, one_line, unreadable
from volact.model.server import Credential
from volact.model.text import say
from volact.transports.base import Secrets
from volact.transports.ssh_library import asyncssh

_MOST_BYTES = 1024 * 1024


class PrivateKeys:
    """The key files of a run."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._read: dict[str, asyncssh.SSHKey] = {}

    async def of(self, credential: Credential) -> list[asyncssh.SSHKey]:
        """The keys that a login names; ``InputError`` for one that cannot be used."""
        missing = [path for path in credential.key_files if path not in self._read]
        if missing:
            passphrase = await self._passphrase(credential)
            self._read.update({path: _read_key(path, passphrase) for path in missing})
        return [self._read[path] for path in credential.key_files]

    def at_hand(self, paths: tuple[str, ...]) -> list[asyncssh.SSHKey]:
        """Those of several files that are there and open without a passphrase.

        What OpenSSH does with the files that its settings name.
        """
        for path in paths:
            if path not in self._read:
                try:
                    self._read[path] = _read_key(path)
                except InputError:
                    continue
        return [self._read[path] for path in paths if path in self._read]

    async def _passphrase(self, credential: Credential) -> str | None:
        if not credential.names_passphrase:
            return None
        secret = await self._secrets.password(credential.of_keys())
        return None if secret is None else secret.reveal()


def check_key_file(path: str) -> None:
    """``InputError`` when a key file cannot be used without a question."""
    _read_key(path)


def _read_key(path: str, passphrase: str | None = None) -> asyncssh.SSHKey:
    try:
        data = read_named(own_path(path), most=_MOST_BYTES)
        return asyncssh.import_private_key(data, passphrase)
    except OSError as error:
        raise unreadable(error, path) from error
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        hint = say("a key with a passphrase needs key-passphrase-env, or belongs into an SSH agent")
        if passphrase is not None:
            hint = say("is it the passphrase of this key?")
        raise InputError(one_line(str(error)), hint, where=path) from error
