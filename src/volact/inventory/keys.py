"""Every key that a server, a group or the defaults of an inventory may have.

The one list of them: TOML uses these words, columns of a CSV and variables of
an Ansible inventory are brought into them.  How tables are laid over each
other to make a server is ``build``'s.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any, get_args

from volact.cloud.base import AccountOption
from volact.cloud.registry import clouds
from volact.errors import InputError
from volact.inventory.expect import acceptances
from volact.inventory.fields import Fields, near
from volact.inventory.target import parse_address
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
    return tuple(parse_address(f"ssh://{word}") for word in words)


FLAGS = ("winrm-tls", "certificate-validation", "ssh-config", "skip")  # may be true or false
SKIPPED = say("no reason is given")

# What a table may hold, and how it is read.
KEYS: dict[str, Callable[[Fields, str], Any]] = {
    "provider": _provider,
    "user": Fields.account,
    "tags": Fields.words,
    "expect": _expect,
    "skip": skip_reason,
    "worker": Fields.text,
    "key-file": Fields.paths,
    "key-passphrase-env": Fields.text,
    "key-passphrase-file": Fields.path,
    "key-passphrase-command": _command,
    "known-hosts": Fields.path,
    "jump": _jump,
    "jump-key-file": Fields.paths,
    "ssh-config": _ssh_config,
    "password-env": Fields.text,
    "password-file": Fields.path,
    "password-command": _command,
    "keyring": Fields.text,
    "password-held": Fields.text,
    "winrm-transport": _auth,
    "winrm-tls": Fields.flag,
    "winrm-kerberos-host": Fields.text,
    "ca-file": Fields.path,
    "certificate-validation": Fields.flag,
    "certificate-file": Fields.path,
    "certificate-key-file": Fields.path,
    **{cloud.key(option): _account(option) for cloud in clouds() for option in cloud.options},
    "image": Fields.text,
    "license": _license,
}

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
                values[key] = KEYS[key](fields, key)
        except InputError as error:
            errors.append(error)
    if errors:
        errors[0].others = tuple(errors[1:])
        raise errors[0]
    return values
