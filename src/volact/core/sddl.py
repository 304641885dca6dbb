"""May the licensing service's account execute its program?  The DACL says.

Reads the SDDL text of a file's DACL, as icacls saves it.  What this module
does not understand makes the answer "unknown": no finding rests on a guess.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Collection
from functools import lru_cache
from typing import Literal

import msgspec

NETWORK_SERVICE = "S-1-5-20"
EXECUTE = 0x20
_READ_AND_EXECUTE = "0x1200a9"

Access = Literal["allowed", "denied", "missing", "unknown"]

_ALIASES = {
    "WD": "S-1-1-0",  # Everyone
    "AU": "S-1-5-11",  # Authenticated Users
    "BU": "S-1-5-32-545",  # Users
    "SU": "S-1-5-6",  # services
    "NS": NETWORK_SERVICE,
    "LS": "S-1-5-19",
    "SY": "S-1-5-18",
    "BA": "S-1-5-32-544",
    "BG": "S-1-5-32-546",
    "PU": "S-1-5-32-547",
    "SO": "S-1-5-32-549",
    "AC": "S-1-15-2-1",
    "CO": "S-1-3-0",
    "CG": "S-1-3-1",
    "OW": "S-1-3-4",
    "IU": "S-1-5-4",
    "NU": "S-1-5-2",
    "AN": "S-1-5-7",
    "RC": "S-1-5-12",
    "WR": "S-1-5-33",
}
# A service's token holds these beside its own account: Everyone, Authenticated
# Users, Users, SERVICE, This Organization, LOCAL.
SERVICE_GROUPS = ("S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-6", "S-1-5-15", "S-1-2-0")

_RIGHTS = {
    "GA": 0x10000000,
    "GX": 0x20000000,
    "GW": 0x40000000,
    "GR": 0x80000000,
    "FA": 0x1F01FF,
    "FX": 0x1200A0,
    "FW": 0x120116,
    "FR": 0x120089,
    "KA": 0xF003F,
    "KR": 0x20019,
    "KW": 0x20006,
    "KX": 0x20019,
    "CC": 0x1,
    "DC": 0x2,
    "LC": 0x4,
    "SW": 0x8,
    "RP": 0x10,
    "WP": 0x20,
    "DT": 0x40,
    "LO": 0x80,
    "CR": 0x100,
    "SD": 0x10000,
    "RC": 0x20000,
    "WD": 0x40000,
    "WO": 0x80000,
}
# Write, append, delete, change the DACL or the owner.
_WRITES = 0x2 | 0x4 | 0x10000 | 0x40000 | 0x80000 | _RIGHTS["GA"] | _RIGHTS["GW"]
_GENERIC_EXECUTE = _RIGHTS["GA"] | _RIGHTS["GX"]

# A SACL's flags may say the same of the SACL: "D:PAI(...)S:AINO_ACCESS_CONTROL".
_NO_DACL = re.compile(r"D:[A-Z]*NO_ACCESS_CONTROL")
_ACE = re.compile(r"\(([^()]*)\)")
_TRUSTEE = r"(?:[A-Z]{2}|S-1[-\d]+)"
_DACL = re.compile(rf"(?:O:{_TRUSTEE})?(?:G:{_TRUSTEE})?D:([A-Z_]*)((?:\([^()]*\))*)(?:S:.*)?")


class Ace(msgspec.Struct, frozen=True):
    """One entry: kind ``A`` or ``D``, its flags, the rights as a mask, whom it is for."""

    kind: str
    flags: str
    mask: int
    sid: str
    text: str


class AccessCheck(msgspec.Struct, frozen=True):
    """May it execute, and the SIDs whose denying entries stand in the way."""

    access: Access
    deny: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def execute_access(sddl: str, service: str = "sppsvc") -> AccessCheck:
    """Whether the account of this service may execute the file."""
    aces = parse(sddl)
    if aces is None:
        return AccessCheck("unknown")
    if _NO_DACL.search(sddl):
        return AccessCheck("allowed")
    token = network_service_token(service)
    matching = [ace for ace in aces if ace.sid in token and "IO" not in ace.flags]
    deciding = next((ace for ace in matching if _executes(ace)), None)
    if deciding is None:
        return AccessCheck("missing")
    if deciding.kind == "A":
        return AccessCheck("allowed")
    deny = [ace.sid for ace in matching if ace.kind == "D" and _executes(ace)]
    return AccessCheck("denied", tuple(dict.fromkeys(deny)))


def grants(sddl: str, token: Collection[str], wanted: int) -> bool | None:
    """Whether every wanted right is allowed to these SIDs before it is denied.

    ``None`` when the DACL is not understood.  A right for everything counts
    for each.
    """
    aces = parse(sddl)
    if aces is None:
        return None
    if _NO_DACL.search(sddl):
        return True
    left = wanted
    for ace in aces:
        if ace.sid not in token or "IO" in ace.flags:
            continue
        mask = wanted if ace.mask & _RIGHTS["GA"] else ace.mask
        if ace.kind == "D" and mask & left:
            return False
        if ace.kind == "A":
            left &= ~mask
        if not left:
            return True
    return False


def others_may_write(sddl: str) -> bool:
    """Whether others than administrators and the system may change the file, or it is unclear."""
    trusted = {_ALIASES["SY"], _ALIASES["BA"], service_sid("TrustedInstaller")}
    aces = parse(sddl)
    return (
        aces is None
        or _NO_DACL.search(sddl) is not None
        or any(
            ace.kind == "A"
            and ace.mask & _WRITES
            and ace.sid not in trusted
            and "IO" not in ace.flags
            for ace in aces
        )
    )


@lru_cache(maxsize=64)
def network_service_token(service: str) -> frozenset[str]:
    """What the account of a licensing service holds."""
    return frozenset({NETWORK_SERVICE, service_sid(service), *SERVICE_GROUPS})


def parse(sddl: str) -> tuple[Ace, ...] | None:
    """The entries of the DACL in order; ``None`` when any part is not understood."""
    match = _DACL.fullmatch(sddl.strip())
    if match is None:
        return None
    aces = [_ace(text) for text in _ACE.findall(match[2])]
    return None if None in aces else tuple(ace for ace in aces if ace is not None)


def granted(sddl: str, sid: str, deny: tuple[str, ...]) -> str:
    """The DACL after ``grant-execute``: these denials removed, this account allowed."""
    kept = [ace.text for ace in parse(sddl) or () if not (ace.kind == "D" and ace.sid in deny)]
    return f"D:PAI(A;;{_READ_AND_EXECUTE};;;{sid})" + "".join(f"({text})" for text in kept)


@lru_cache(maxsize=64)
def service_sid(service: str) -> str:
    """The SID of ``NT SERVICE\\<service>``, which Windows derives from the name."""
    # SHA-1 of the upper-case name in UTF-16, as five numbers: a name, no secret.
    digest = hashlib.sha1(service.upper().encode("utf-16-le"), usedforsecurity=False).digest()
    return "S-1-5-80-" + "-".join(str(number) for number in struct.unpack("<5I", digest))


def _ace(text: str) -> Ace | None:
    parts = text.split(";")
    if len(parts) != 6 or parts[0] not in ("A", "D") or parts[3] or parts[4]:
        return None  # object, audit and conditional entries
    mask, sid = _mask(parts[2]), _sid(parts[5])
    return None if mask is None or sid is None else Ace(parts[0], parts[1], mask, sid, text)


def _mask(rights: str) -> int | None:
    if re.fullmatch(r"0x[0-9A-Fa-f]+", rights):
        return int(rights, 16)
    words = [rights[at : at + 2] for at in range(0, len(rights), 2)]
    if not all(word in _RIGHTS for word in words):
        return None
    mask = 0
    for word in words:
        mask |= _RIGHTS[word]
    return mask


def _sid(text: str) -> str | None:
    if re.fullmatch(r"S-1-\d+(-\d+)*", text, re.IGNORECASE):
        return text.upper()
    return _ALIASES.get(text.upper())


def _executes(ace: Ace) -> bool:
    return bool(ace.mask & (EXECUTE | _GENERIC_EXECUTE))
