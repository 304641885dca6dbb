"""Every key that a server, a group or the defaults of an inventory may have.

The one list of them: TOML uses these words, columns of a CSV and variables of
an Ansible inventory are brought into them.  How tables are laid over each
other to make a server is ``build``'s.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, NamedTuple, get_args

from volact.cloud.base import AccountOption
from volact.cloud.registry import clouds
from volact.errors import InputError
from volact.inventory.expect import acceptances
from volact.inventory.fields import Fields, near
from volact.inventory.target import parse_address, url_of
from volact.knowledge.load import license_words, provider_names
from volact.model.finding import Acceptance
from volact.model.server import Address, WinRmAuth
from volact.model.text import joined, say

PASSWORDS = ("password-env", "password-file", "password-command", "keyring", "password-held")
PASSPHRASES = ("key-passphrase-env", "key-passphrase-file", "key-passphrase-command")
_IN_CLEAR = say("one in clear")
CERTIFICATE = ("certificate-file", "certificate-key-file")


def _provider(fields: Fields, key: str) -> str:
    provider = fields.text(key)
    if provider not in provider_names():
        hint = near(provider, provider_names())
        raise fields.error(say("unknown provider {provider}", provider=repr(provider)), key, hint)
    return provider


def _command(fields: Fields, key: str) -> tuple[str, ...]:
    """A program and its arguments: a list, or one text that is split like a shell does."""
    value = fields.values[key]
    if not isinstance(value, str):
        return fields.filled(key, fields.words(key))
    try:
        command = shlex.split(fields.text(key))
    except ValueError as error:
        raise fields.error(f"{key}: {error}", key) from error
    fields.filled(key, command[0])
    return tuple(command)


def _auth(fields: Fields, key: str) -> str | None:
    return fields.word(key, get_args(WinRmAuth))


def _jump(fields: Fields, key: str) -> tuple[Address, ...]:
    """``user@host:port``, several with commas; ``none`` for the direct way."""
    with fields.at_key(key):
        return parse_jump(fields.text(key))


def _ssh_config(fields: Fields, key: str) -> str | None:
    """A file; ``true`` for the user's own, ``false`` for none."""
    value = fields.values[key]
    if isinstance(value, bool):
        return "" if value else None
    return fields.path(key)


def _account(option: AccountOption) -> Callable[[Fields, str], Any]:
    """How a setting of a cloud's account is read."""

    def read(fields: Fields, key: str) -> Any:
        if option.choices:
            return fields.word(key, option.choices)
        if option.is_path:
            return fields.path(key)
        text = fields.text(key)
        if option.check is not None:
            with fields.at_key(key):
                option.check(text)
        return text

    return read


def _license(fields: Fields, key: str) -> str | None:
    return fields.word(key, license_words())


def _expect(fields: Fields, key: str) -> tuple[Acceptance, ...]:
    with fields.at_key(key):
        return acceptances(fields.values[key])


def skip_reason(fields: Fields, key: str) -> str:
    """The reason; ``true`` without one, ``false`` for a server that is not skipped."""
    value = fields.values[key]
    if isinstance(value, bool):
        return SKIPPED if value else ""
    return fields.text(key)


def parse_jump(text: str) -> tuple[Address, ...]:
    """Jump hosts as OpenSSH's ProxyJump has them, the first one first."""
    if text.strip().lower() == "none":
        return ()
    words = [word.strip().removeprefix("ssh://") for word in text.split(",")]
    return tuple(parse_address(url_of("ssh", word)) for word in words)


FLAGS = ("winrm-tls", "certificate-validation", "ssh-config", "skip")  # may be true or false
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")  # where all is text
SKIPPED = say("no reason is given")


class Key(NamedTuple):
    """How a key is read, and where its value is in a ``Server``."""

    read: Callable[[Fields, str], Any]
    place: str


# What a table may hold; name and address are read apart.  What begins with a cloud's name is
# in ``Server.account`` where that cloud reaches the server.
KEYS: dict[str, Key] = {
    "provider": Key(_provider, "provider"),
    "tags": Key(Fields.words, "tags"),
    "expect": Key(_expect, "expect"),
    "skip": Key(skip_reason, "skip"),
    "worker": Key(Fields.text, "worker"),
    "user": Key(Fields.account, "credential.user"),
    "password-env": Key(Fields.text, "credential.password_env"),
    "password-file": Key(Fields.path, "credential.password_file"),
    "password-command": Key(_command, "credential.password_command"),
    "keyring": Key(Fields.text, "credential.keyring"),
    "password-held": Key(Fields.text, "credential.password_held"),
    "key-file": Key(Fields.paths, "credential.key_files"),
    "key-passphrase-env": Key(Fields.text, "credential.passphrase_env"),
    "key-passphrase-file": Key(Fields.path, "credential.passphrase_file"),
    "key-passphrase-command": Key(_command, "credential.passphrase_command"),
    "certificate-file": Key(Fields.path, "credential.certificate_file"),
    "certificate-key-file": Key(Fields.path, "credential.certificate_key_file"),
    "known-hosts": Key(Fields.path, "known_hosts"),
    "jump": Key(_jump, "ssh.jump"),
    "jump-key-file": Key(Fields.paths, "ssh.jump_key_files"),
    "ssh-config": Key(_ssh_config, "ssh.config"),
    "winrm-transport": Key(_auth, "winrm.auth"),
    "winrm-tls": Key(Fields.flag, "winrm.tls"),
    "winrm-kerberos-host": Key(Fields.text, "winrm.kerberos_host"),
    "ca-file": Key(Fields.path, "winrm.ca_file"),
    "certificate-validation": Key(Fields.flag, "winrm.verify"),
    **{
        cloud.key(option): Key(_account(option), f"{cloud.name}.{option.name}")
        for cloud in clouds()
        for option in cloud.options
    },
    "image": Key(Fields.text, "image"),
    "license": Key(_license, "license"),
}

# Paths, one or several.
PATHS = tuple(key for key, how in KEYS.items() if how.read is Fields.paths)
# The keys of a TOML file: a secret in clear has no key there.
SHARED = tuple(key for key in KEYS if key != "password-held")
OWN = ("name", "address", *SHARED)


def said(fields: Fields) -> dict[str, Any]:
    """The values of a table, key by key, read; keys of others are passed over."""
    for group, title in ((PASSWORDS, "password"), (PASSPHRASES, "passphrase")):
        named = [key for key in group if key in fields.values]
        if len(named) > 1:
            both = joined(_IN_CLEAR if key == "password-held" else key for key in named)
            raise fields.error(
                say("names more than one {title}: {both}", title=title, both=both), named[1]
            )
    values: dict[str, Any] = {}
    errors: list[InputError] = []
    for key in fields.values:
        try:
            if key in KEYS:
                values[key] = KEYS[key].read(fields, key)
        except InputError as error:
            errors.append(error)
    if errors:
        errors[0].others = tuple(errors[1:])
        raise errors[0]
    return values
