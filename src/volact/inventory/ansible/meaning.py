"""What the variables of an Ansible host mean to volact.  Pure.

In: the variables of one host, laid over each other.  Out: values under the
keys of the TOML form, each with the place it comes from.  Variables that do
not concern address or login are passed over.
"""

from __future__ import annotations

import re
import shlex
from typing import Any

from volact.errors import InputError
from volact.inventory.ansible.model import Var, Vars
from volact.inventory.fields import near
from volact.inventory.keys import FALSE, FLAGS, PASSWORDS, SHARED, TRUE
from volact.inventory.target import url_of
from volact.model.text import say

_KEY = ("ansible_ssh_private_key_file", "ansible_private_key_file")
_SSH_PASSWORD = ("ansible_ssh_password", "ansible_ssh_pass")
_WINRM_PASSWORD = ("ansible_winrm_password", "ansible_winrm_pass")  # psrp's as well
PASSWORD = ("ansible_password", *_SSH_PASSWORD, *_WINRM_PASSWORD)
_ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_args")
_SSH = ("ssh", "smart", "paramiko", "paramiko_ssh", "libssh")
_AUTH = {
    "basic": "basic",
    "plaintext": "basic",
    "ssl": "basic",
    "negotiate": "negotiate",
    "ntlm": "ntlm",
    "kerberos": "kerberos",
    "certificate": "certificate",
}
# What each of Ansible's two plugins calls a key; of several variables the first counts.
_SCHEME = {"winrm": "ansible_winrm_scheme", "psrp": "ansible_psrp_protocol"}
_TRANSPORT = {"winrm": "ansible_winrm_transport", "psrp": "ansible_psrp_auth"}
_CHECK = {
    "winrm": "ansible_winrm_server_cert_validation",
    "psrp": "ansible_psrp_cert_validation",
}
_WINRM: dict[str, dict[str, tuple[str, ...]]] = {
    "winrm": {
        "ca-file": ("ansible_winrm_ca_trust_path",),
        "certificate-file": ("ansible_winrm_cert_pem",),
        "certificate-key-file": ("ansible_winrm_cert_key_pem",),
        "winrm-kerberos-host": ("ansible_winrm_kerberos_hostname_override",),
    },
    "psrp": {
        "ca-file": ("ansible_psrp_ca_cert", "ansible_psrp_cert_trust_path"),
        "certificate-file": ("ansible_psrp_certificate_pem",),
        "certificate-key-file": ("ansible_psrp_certificate_key_pem",),
        "winrm-kerberos-host": ("ansible_psrp_negotiate_hostname_override",),
    },
}
_OWN = "volact_"
_WHOLE = "volact_address"


class VariableMeaning:
    """Keys and values out of one host's variables; ``places`` holds where each is from."""

    def __init__(self, name: str, variables: Vars) -> None:
        self.places: dict[str, str] = {}
        self.values: dict[str, Any] = {"name": name}
        self._vars = variables
        self._plugin = "ssh"  # the connection plugin whose variables count
        self._connect(name)
        self._put("user", *self._text(self._names("user")))
        self._put("key-file", *self._text(_KEY))
        if self.values["address"].startswith("ssh:"):
            self._arguments()
        for variable in variables:
            if variable.startswith(_OWN) and variable != _WHOLE:
                self._own(variable)

    def password(self) -> Var | None:
        """The variable that holds the password, unless another source of it is named."""
        if any(key in self.values for key in PASSWORDS):
            return None
        own = _SSH_PASSWORD if self._plugin == "ssh" else _WINRM_PASSWORD
        return self._var((*own, "ansible_password"))

    def _names(self, what: str) -> tuple[str, str]:
        """The plugin's own variable counts before the common one."""
        return (f"ansible_{self._plugin}_{what}", f"ansible_{what}")

    def _connect(self, name: str) -> None:
        """The address: whole, or of connection plugin, host and port."""
        whole, whole_at = self._text((_WHOLE,))
        if whole:
            self._put("address", whole, whole_at)
            self._plugin = "winrm" if whole.startswith("winrm") else "ssh"
            return
        connection, at = self._text(("ansible_connection",))
        kind = (connection or "ssh").rpartition(".")[2].lower()
        self._plugin = kind if kind in _WINRM else "ssh"
        host, host_at = self._text(self._names("host"))
        port, port_at = self._text(self._names("port"))
        self.places["address"] = host_at or port_at or at
        if kind == "local":
            self.values["address"] = "local"
            return
        if kind in _SSH:
            scheme = "ssh"
        elif kind in ("winrm", "psrp"):
            scheme = self._winrm(kind, port)
        else:
            raise InputError(
                say("ansible_connection {kind} is none that volact has", kind=repr(kind)),
                "ssh, winrm, psrp, local",
                where=at,
            )
        self.values["address"] = url_of(scheme, host or name)
        if port:
            self.values["address"] += f":{port}"

    def _winrm(self, kind: str, port: str) -> str:
        """``winrm`` or ``winrms``, as Ansible's own plugins would choose; and the rest of it."""
        self._put("winrm-transport", *self._auth((_TRANSPORT[kind],)))
        check, at = self._text((_CHECK[kind],))
        if check:
            self._put("certificate-validation", check != "ignore", at)
        for key, names in _WINRM[kind].items():
            self._put(key, *self._text(names))
        scheme, at = self._text((_SCHEME[kind],))
        if scheme in ("http", "https"):
            if (scheme, port) == ("http", "5986"):
                self._put("winrm-tls", False, at)
            return "winrm" if scheme == "http" else "winrms"
        return "winrm" if port == "5985" else "winrms"

    def _auth(self, names: tuple[str, ...]) -> tuple[str, str]:
        """The first of the transports named that volact has."""
        var = self._var(names)
        if var is None:
            return "", ""
        words = var.value if isinstance(var.value, tuple) else (var.value or "").split(",")
        known = [_AUTH[word.strip()] for word in words if word.strip() in _AUTH]
        if not known:
            named = ", ".join(words)
            raise InputError(
                say("WinRM transport {named} is none that volact has", named=repr(named)),
                ", ".join(_AUTH),
                where=var.where,
            )
        return known[0], var.where

    def _arguments(self) -> None:
        """A jump host in the arguments for ssh; other arguments are ssh's own affair."""
        for name in _ARGUMENTS:
            text, at = self._text((name,))
            if text:
                self._put("jump", _jump_in(text, at), at)

    def _own(self, variable: str) -> None:
        """``volact_password_env`` is the key ``password-env``."""
        key = variable.removeprefix(_OWN).replace("_", "-")
        at = self._vars[variable].where
        if key not in SHARED:
            names = ("address", *SHARED)
            hint = near(variable, (_OWN + name.replace("-", "_") for name in names))
            raise InputError(
                say("unknown variable {variable}", variable=repr(variable)), hint, where=at
            )
        var = self._var((variable,))
        value: Any = None if var is None else var.value
        if isinstance(value, tuple):
            value = list(value)
        elif key in FLAGS and value and value.lower() in TRUE + FALSE:
            value = value.lower() in TRUE
        elif key == "tags" and value:
            value = re.split(r"[\s,;]+", value)
        self._put(key, value, at)

    def _put(self, key: str, value: Any, where: str) -> None:
        if value not in (None, ""):
            self.values[key] = value
            self.places[key] = where

    def _text(self, names: tuple[str, ...]) -> tuple[str, str]:
        """The text of the first variable that is there, and its place."""
        var = self._var(names)
        if var is None or var.value is None:
            return "", ""
        if not isinstance(var.value, str):
            name = next(name for name in names if name in self._vars)
            raise InputError(
                say("{name} is not one text", name=name),
                say("a text that begins with a bracket goes in quotes"),
                where=var.where,
            )
        return var.value.strip(), var.where

    def _var(self, names: tuple[str, ...]) -> Var | None:
        """The first variable that is there; ``InputError`` when only Ansible could read it."""
        found = next(((name, self._vars[name]) for name in names if name in self._vars), None)
        if found is None:
            return None
        name, var = found
        if name not in PASSWORD and (var.vault or var.is_template):
            raise unreadable(name, var)
        return var


def unreadable(name: str, var: Var) -> InputError:
    """Why a value that only Ansible could work out is not taken."""
    message = (
        say("{name} is encrypted by ansible-vault, which volact does not read", name=name)
        if var.vault
        else say("{name} is a template, which volact does not read", name=name)
    )
    hint = say("write the value itself")
    if name in PASSWORD:
        hint = say("name where the password is: volact_password_env, or --password-env")
    return InputError(message, hint, where=var.where)


def _jump_in(text: str, where: str) -> str:
    """The jump hosts in a list of arguments for ssh, ``""`` when there are none."""
    words = _split(text, where)
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word.startswith("-J"):
            return word.removeprefix("-J") or following
        option = word.removeprefix("-o") or following
        name, *values = re.split(r"\s*=\s*|\s+", option.strip(), maxsplit=1)
        if word.startswith("-o") and name.lower() == "proxyjump":
            return "".join(values)
        if word.startswith("-o") and name.lower() == "proxycommand":
            return _jump_of_command("".join(values), where)
    return ""


def _jump_of_command(command: str, where: str) -> str:
    """``ssh -W %h:%p user@bastion`` is a jump host by another name."""
    words = _split(command, where)
    if words[:1] == ["ssh"] and "-W" in words and "@" not in words[0]:
        plain = [word for word in words[1:] if not word.startswith("-") and "%" not in word]
        if len(plain) == 1:
            return plain[0]
    raise InputError(
        say("a ProxyCommand other than 'ssh -W %h:%p user@host' is not understood"),
        say("write it as -o ProxyJump=user@host, or into ~/.ssh/config"),
        where=where,
    )


def _split(text: str, where: str) -> list[str]:
    """The words of a command line."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InputError(
            say("cannot be read: {error}", error=str(error).lower()), where=where
        ) from error
