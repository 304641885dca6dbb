"""Access control lists of files: SDDL in and out, and who may do what.

Only what file DACLs need.  Who owns a file is in ``files``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from volact.errors import VolactError

TRUSTED_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
ADMINISTRATORS = "S-1-5-32-544"
SYSTEM = "S-1-5-18"
NETWORK_SERVICE = "S-1-5-20"
EVERYONE = "S-1-1-0"
USERS = "S-1-5-32-545"

# What the account of the licensing service is a member of.
NETWORK_SERVICE_TOKEN = frozenset({NETWORK_SERVICE, EVERYONE, USERS, "S-1-5-11", "S-1-5-6"})
ADMIN_TOKEN = frozenset({ADMINISTRATORS, EVERYONE, USERS, "S-1-5-11"})
SYSTEM_TOKEN = frozenset({SYSTEM, ADMINISTRATORS, EVERYONE, USERS, "S-1-5-11"})

EXECUTE = 0x20
READ = 0x1
WRITE = 0x2
DELETE = 0x10000
WRITE_DAC = 0x40000
FULL = 0x1F01FF
READ_EXECUTE = 0x1200A9

_ALIASES = {
    "BA": ADMINISTRATORS,
    "SY": SYSTEM,
    "BU": USERS,
    "WD": EVERYONE,
    "AU": "S-1-5-11",
    "SU": "S-1-5-6",
    "LS": "S-1-5-19",
    "NS": NETWORK_SERVICE,
    "IU": "S-1-5-4",
    "NU": "S-1-5-2",
    "CO": "S-1-3-0",
    "AC": "S-1-15-2-1",
}
_SHORT = {sid: alias for alias, sid in _ALIASES.items()}
_RIGHTS = {
    "FA": FULL,
    "FR": 0x120089,
    "FW": 0x120116,
    "FX": 0x1200A0,
    "GA": FULL,
    "GR": 0x120089,
    "GW": 0x120116,
    "GX": 0x1200A0,
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
_WHOLE = {_RIGHTS[name]: name for name in ("FA", "FR", "FW", "FX")}
_BITS = ("CC", "DC", "LC", "SW", "RP", "WP", "DT", "LO", "CR", "SD", "RC", "WD", "WO")
_ACE = re.compile(r"\((A|D);([A-Z]*);(0[xX][0-9a-fA-F]+|[A-Z]*);;;([A-Z]{2}|S-[0-9-]+)\)")


@dataclass(frozen=True, slots=True)
class Ace:
    """One entry: allows or denies ``mask`` to ``sid``."""

    allow: bool
    mask: int
    sid: str
    flags: str = ""

    def sddl(self) -> str:
        """The entry as Windows prints it."""
        sid = _SHORT.get(self.sid, self.sid)
        return f"({'A' if self.allow else 'D'};{self.flags};{_rights_text(self.mask)};;;{sid})"


@dataclass(frozen=True, slots=True)
class Acl:
    """A DACL: its control flags and its entries in order."""

    control: str
    aces: tuple[Ace, ...]

    def sddl(self) -> str:
        """``D:`` and everything behind it."""
        return f"D:{self.control}{''.join(ace.sddl() for ace in self.aces)}"

    def allows(self, token: Collection[str], mask: int) -> bool:
        """Whether every bit of ``mask`` is granted before it is denied."""
        open_bits = mask
        for ace in self.aces:
            if ace.sid not in token:
                continue
            if not ace.allow and ace.mask & open_bits:
                return False
            if ace.allow:
                open_bits &= ~ace.mask
            if not open_bits:
                return True
        return False

    def without_deny(self, sid: str) -> Acl:
        """As ``icacls /remove:d``: what comes from the folder stays."""
        kept = tuple(a for a in self.aces if a.allow or a.sid != sid or "ID" in a.flags)
        return replace(self, aces=kept)

    def on_its_own(self) -> Acl:
        """As ``icacls /inheritance:d``: the inherited entries become the file's own."""
        aces = tuple(replace(ace, flags=ace.flags.replace("ID", "")) for ace in self.aces)
        return Acl("PAI", aces)

    def granting(self, sid: str, mask: int) -> Acl:
        """As ``icacls /grant``: joins the account's own allowing entry if it has one."""
        aces = list(self.aces)
        for index, ace in enumerate(aces):
            if ace.allow and ace.sid == sid and "I" not in ace.flags:
                aces[index] = replace(ace, mask=ace.mask | mask)
                return replace(self, aces=tuple(aces))
        first_allow = next((i for i, ace in enumerate(aces) if ace.allow), len(aces))
        aces.insert(first_allow, Ace(True, mask, sid))
        return replace(self, aces=tuple(aces))

    def denying(self, sid: str, mask: int) -> Acl:
        """As ``icacls /deny``: denying entries stand first."""
        return replace(self, aces=(Ace(False, mask, sid), *self.aces))


def parse(sddl: str) -> Acl:
    """Read ``D:…``; ValueError-like ``VolactError`` for what is not a file DACL."""
    match = re.fullmatch(r"D:([A-Z]*)((?:\(.*?\))*)", sddl)
    found = list(_ACE.finditer(match[2])) if match else []
    if match is None or "".join(m[0] for m in found) != match[2]:
        raise VolactError(f"not a DACL the lab knows: {sddl}")
    aces = tuple(Ace(m[1] == "A", _rights(m[3]), _ALIASES.get(m[4], m[4]), m[2]) for m in found)
    return Acl(match[1], aces)


def _rights(text: str) -> int:
    if text.startswith(("0x", "0X")):
        return int(text, 16)
    mask = 0
    for start in range(0, len(text), 2):
        mask |= _RIGHTS[text[start : start + 2]]
    return mask


def _rights_text(mask: int) -> str:
    if mask in _WHOLE:
        return _WHOLE[mask]
    known = sum(_RIGHTS[name] for name in _BITS)
    if mask & ~known:
        return f"0x{mask:x}"
    return "".join(name for name in _BITS if mask & _RIGHTS[name])
