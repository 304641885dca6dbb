"""Commands as a person types them in cmd.exe on the server.  Text only.

The w32tm lines are those of the provider's own page, so that what volact prints can be
compared with it.  Commands of licensing are in ``console``.
"""

from __future__ import annotations

import re

_DENIED_BY_FOLDER = re.compile(r"\(D;(?:[A-Z]{2})*ID(?:[A-Z]{2})*;")
RESYNC = "w32tm /resync"
_FIRST_BUILD_OF_2012_R2 = 9600


def set_time_source(peers: tuple[str, ...]) -> str:
    """Take the time from these servers; /update tells the running service."""
    listed = " ".join(peers)
    return f'w32tm /config /syncfromflags:manual /manualpeerlist:"{listed}" /update'


def enable_service(name: str, start: str) -> str:
    """Set a start mode: auto, delayed-auto, demand."""
    return f"sc config {name} start= {start}"


def enable_at_restart(name: str, start: str) -> tuple[str, ...]:
    """The same, auto or delayed-auto, for a service that only the system may configure."""
    key = rf"HKLM\SYSTEM\CurrentControlSet\Services\{name}"
    automatic = f'reg add "{key}" /v Start /t REG_DWORD /d 2 /f'
    delayed = f'reg add "{key}" /v DelayedAutoStart /t REG_DWORD /d 1 /f'
    return (automatic, delayed) if start == "delayed-auto" else (automatic,)


def restart_and_plan(times: int) -> str:
    """What a step leaves to a person, in a list of commands; the rest is planned after it."""
    how_often = "" if times == 1 else f" {times} times"
    return f"rem restart the server{how_often}, then run volact plan again"


def start_service(name: str) -> str:
    """Start a service."""
    return f"net start {name}"


_CONFIG = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time\Config"
_IFEO = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Image File Execution Options"


def set_limits(pos: str, neg: str) -> tuple[str, ...]:
    """Set the phase limits of Windows Time, forwards and backwards."""
    return (
        f'reg add "{_CONFIG}" /v MaxPosPhaseCorrection /t REG_DWORD /d {pos} /f',
        f'reg add "{_CONFIG}" /v MaxNegPhaseCorrection /t REG_DWORD /d {neg} /f',
        "w32tm /config /update",
    )


def restore_limits(saved: str) -> tuple[str, ...]:
    """Restore phase limits that were recorded as ``54000 -``."""
    names = ("MaxPosPhaseCorrection", "MaxNegPhaseCorrection", "VolactLimits")
    given = [word if re.fullmatch("[0-9]{1,10}", word) else "-" for word in saved.split()]
    words = [*given, "-", "-"][:2]
    return (
        *(
            f'reg delete "{_CONFIG}" /v {name} /f'
            if word == "-"
            else f'reg add "{_CONFIG}" /v {name} /t REG_DWORD /d {word} /f'
            for name, word in zip(names, (*words, "-"), strict=True)
        ),
        "w32tm /config /update",
    )


def remove_debugger(program: str) -> str:
    """Take away the debugger that Windows starts instead of a program."""
    return f'reg delete "{_IFEO}\\{program}" /v Debugger /f'


def set_name_servers(servers: tuple[str, ...]) -> str:
    """Give these name servers to the network cards that have a gateway."""
    listed = ",".join(f"'{server}'" for server in servers)
    return (
        'powershell -Command "Get-WmiObject Win32_NetworkAdapterConfiguration'
        " -Filter 'IPEnabled=TRUE' | Where-Object { $_.DefaultIPGateway } |"
        f' ForEach-Object {{ $_.SetDNSServerSearchOrder(@({listed})) }}"'
    )


def add_route(destination: str, mask: str, gateway: str) -> str:
    """Add a route that survives a restart."""
    return f"route add {destination} mask {mask} {gateway} -p"


def delete_route(destination: str, mask: str, gateway: str) -> str:
    """Delete the route by one gateway, the persistent one too."""
    return f"route delete {destination} mask {mask} {gateway}"


TIME_TRIGGER = "sc triggerinfo w32time start/networkon stop/networkoff"


def connect(host: str, port: int, build: int | None) -> str:
    """Try a TCP port; Test-NetConnection came with 2012 R2."""
    if build is not None and build < _FIRST_BUILD_OF_2012_R2:
        return (
            f"powershell -Command \"(New-Object Net.Sockets.TcpClient).Connect('{host}',{port})\""
        )
    return f"powershell Test-NetConnection {host} -Port {port}"


_TRUSTED_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"


def grant_execute(path: str, sid: str, deny: tuple[str, ...], sddl: str = "") -> tuple[str, ...]:
    """Take away denying entries and let an account read and execute a file of Windows.

    TrustedInstaller owns such a file, and only the owner may change its
    permissions: the owner is changed for that, and changed back.
    """
    own = (f'icacls "{path}" /inheritance:d',) if _DENIED_BY_FOLDER.search(sddl) else ()
    return (
        f'takeown /f "{path}" /a',
        *own,
        *(f'icacls "{path}" /remove:d *{denied}' for denied in deny),
        f'icacls "{path}" /grant *{sid}:(RX)',
        f'icacls "{path}" /setowner *{_TRUSTED_INSTALLER}',
    )
