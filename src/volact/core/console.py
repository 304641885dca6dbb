"""Licensing commands as a person types them on a server: with slmgr.vbs, or without it.

The slmgr lines are those of the provider's own page, so that what volact prints can be
compared with it.  The PowerShell lines call the WMI methods that slmgr.vbs calls, for
servers without VBScript; the line for name servers stands with them.  They hold no ``$``,
backquote, percent sign or second double quote, so they mean the same in cmd.exe and at a
PowerShell prompt.  Other commands are in ``shell``.  Text only.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from volact.model.profile import HostPort

Dialect = Literal["slmgr", "powershell"]

_POWERSHELL = "powershell -NoProfile -Command"
_UNTRIED = "rem PowerShell lines: not run on a Windows Server yet"
_SLMGR = "cscript /nologo %windir%/system32/slmgr.vbs"
_SERVICE = "SELECT Version FROM SoftwareLicensingService"
_PRODUCT = "SELECT ID FROM SoftwareLicensingProduct WHERE"
_KEYED = (
    "ApplicationID='55c92734-d682-4d71-983e-d6ec3f16059f' AND PartialProductKey <> NULL"
    " AND LicenseIsAddon=FALSE"
)
_ITEM = "(Get-Variable _ -ValueOnly)"  # of a pipeline, without the dollar sign
_LICENCES = (
    r"([Environment]::SystemDirectory+'\spp\tokens'),([Environment]::SystemDirectory+'\oem')"
)
_SHOWN = (
    "Name,PartialProductKey,LicenseStatus,LicenseStatusReason,GracePeriodRemaining,"
    "KeyManagementServiceMachine,KeyManagementServicePort,"
    "DiscoveredKeyManagementServiceMachineName"
)
_MENTIONED = re.compile(r"slmgr\.vbs (-[a-z-]+)")


class Console(msgspec.Struct, frozen=True):
    """The licensing commands in one dialect."""

    dialect: Dialect

    def set_kms_host(self, host: HostPort) -> str:
        """Point the whole server at a KMS host."""
        name, port = str(host).rpartition(":")[::2]
        return self._line(
            f"-skms {host}",
            _call(_SERVICE, "SetKeyManagementServiceMachine", f"MachineName={_quoted(name)}"),
            _call(_SERVICE, "SetKeyManagementServicePort", f"PortNumber=[uint32]{port}"),
        )

    def clear_kms_host(self, activation_id: str = "") -> str:
        """Take away the KMS host of one product, or of the whole server."""
        layer = f"{_PRODUCT} ID='{activation_id}'" if activation_id else _SERVICE
        return self._line(
            f"-ckms {activation_id}".rstrip(),
            _call(layer, "ClearKeyManagementServiceMachine"),
            _call(layer, "ClearKeyManagementServicePort"),
        )

    def use_kms(self) -> str:
        """Activate by KMS, not by Active Directory or a token."""
        kind = _call(_SERVICE, "SetVLActivationTypeEnabled", "ActivationType=[uint32]2")
        return self._line("-act-type 2", kind)

    def activate(self) -> str:
        """Activate now; a licensed MAK stays as it is, because each activation of it counts."""
        query = f"SELECT ID,Description,LicenseStatus FROM SoftwareLicensingProduct WHERE {_KEYED}"  # noqa: S608
        chosen = f"{_ITEM}.LicenseStatus -ne 1 -or {_ITEM}.Description -notmatch 'MAK'"
        activate = (
            f"Get-CimInstance -Query {_quoted(query)} | Where-Object {{{chosen}}}"
            " | Invoke-CimMethod -MethodName Activate"
        )
        return self._line("-ato", activate, _REFRESH)

    def install_key(self, key: str) -> str:
        """Install a product key."""
        install = _call(_SERVICE, "InstallProductKey", f"ProductKey={_quoted(key)}")
        return self._line(f"-ipk {key}", install, _REFRESH)

    def reinstall_licences(self) -> str:
        """Install the licences that Windows brings once more."""
        text = f"[IO.File]::ReadAllText({_ITEM}.FullName)"
        install = _call(_SERVICE, "InstallLicense", f"License={text}")
        files = f"Get-ChildItem -Path {_LICENCES} -Filter *.xrm-ms -Recurse -ErrorAction Ignore"
        return self._line("-rilc", f"{files} | ForEach-Object {{{install}}}", _REFRESH)

    def rearm(self) -> str:
        """Give Windows a new client machine ID."""
        return self._line("-rearm", _call(_SERVICE, "ReArmWindows"))

    def show(self, *, every: bool = False) -> str:
        """Show licence state, key and KMS host: of Windows, or of every product with a key."""
        where = "PartialProductKey <> NULL" if every else _KEYED
        query = f"SELECT {_SHOWN} FROM SoftwareLicensingProduct WHERE {where}"  # noqa: S608
        names = _quoted(_SHOWN).replace(",", "','")
        shown = f"Get-CimInstance -Query {_quoted(query)} | Format-List -Property {names}"
        return self._line("-dlv all" if every else "-dlv", shown)

    def instead(self, text: str) -> tuple[str, ...]:
        """What to type where a text names slmgr.vbs and this server has none."""
        return without_slmgr(text) if self.dialect == "powershell" else ()

    def _line(self, option: str, *calls: str) -> str:
        if self.dialect == "slmgr":
            return f"{_SLMGR} {option}"
        return _powershell(*calls)


def set_name_servers(adapter: str, servers: tuple[str, ...]) -> str:
    """Give these name servers to one network adapter, by its index; PowerShell 3."""
    query = f"SELECT Index FROM Win32_NetworkAdapterConfiguration WHERE Index={adapter}"  # noqa: S608
    listed = ",".join(map(_quoted, servers))
    given = f"DNSServerSearchOrder=[string[]]({listed})"
    return _powershell(_call(query, "SetDNSServerSearchOrder", given))


def without_slmgr(text: str) -> tuple[str, ...]:
    """The PowerShell lines for the options of slmgr.vbs that a text names."""
    console = Console("powershell")
    lines = {
        "-ato": console.activate(),
        "-rilc": console.reinstall_licences(),
        "-ipk": console.install_key("KEY"),
        "-skms": console.set_kms_host(HostPort("HOST")),
        "-act-type": console.use_kms(),
        "-dlv": console.show(),
    }
    return tuple(lines[option] for option in _MENTIONED.findall(text) if option in lines)


def with_remark(commands: tuple[str, ...]) -> tuple[str, ...]:
    """The commands, below a remark where PowerShell lines are among them."""
    untried = any(command.startswith(_POWERSHELL) for command in commands)
    return (_UNTRIED, *commands) if untried else commands


def _powershell(*calls: str) -> str:
    return f'{_POWERSHELL} "{";".join(calls)}"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _call(query: str, method: str, argument: str = "") -> str:
    given = f" -Arguments @{{{argument}}}" if argument else ""
    return f"Invoke-CimMethod -Query {_quoted(query)} -MethodName {method}{given}"


_REFRESH = _call(_SERVICE, "RefreshLicenseStatus")
