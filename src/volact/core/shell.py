"""Commands as a person types them in cmd.exe on the server.  Text only.

The slmgr and w32tm lines are those of the provider's own page, so that what
volact prints can be compared with it.
"""

from __future__ import annotations

from volact.model.profile import HostPort

SLMGR = "cscript /nologo %windir%/system32/slmgr.vbs"
RESYNC = "w32tm /resync"


def set_kms_host(host: HostPort) -> str:
    """Point the whole server at a KMS host."""
    return f"{SLMGR} -skms {host}"


def clear_kms_host(activation_id: str = "") -> str:
    """Take away the KMS host of one product, or of the whole server."""
    return f"{SLMGR} -ckms {activation_id}".rstrip()


def activate() -> str:
    """Activate now."""
    return f"{SLMGR} -ato"


def install_key(key: str) -> str:
    """Install a product key."""
    return f"{SLMGR} -ipk {key}"


def set_time_source(peers: tuple[str, ...]) -> str:
    """Take the time from these servers; /update tells the running service."""
    listed = " ".join(peers)
    return f'w32tm /config /syncfromflags:manual /manualpeerlist:"{listed}" /update'


def enable_service(name: str, start: str) -> str:
    """Set a start mode: auto, delayed-auto, demand."""
    return f"sc config {name} start= {start}"


def start_service(name: str) -> str:
    """Start a service."""
    return f"net start {name}"


def grant_execute(path: str, sid: str, deny: tuple[str, ...]) -> tuple[str, ...]:
    """Take away denying entries and let an account read and execute a file."""
    removals = tuple(f'icacls "{path}" /remove:d *{denied}' for denied in deny)
    return (*removals, f'icacls "{path}" /grant *{sid}:(RX)')
