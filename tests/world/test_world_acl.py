"""DACLs as icacls.exe saves them and sc.exe shows them, beside what the lab writes.

The values are those that real servers and workstations wrote; each names where it is
published.  Seen: UTF-16 without a byte order mark, a line with the name, a line with the
DACL, and behind it ``S:AINO_ACCESS_CONTROL`` or ``S:PAINO_ACCESS_CONTROL`` where the file
has an empty SACL.  A file that inherits has ``ID`` in its entries.
"""

from __future__ import annotations

import pytest
from windows_tools import Tools

from volact.core.sddl import execute_access, granted, grants, parse

TRUSTED = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
# https://github.com/daem0nc0re/PrivFu (SdDumper on kernel32.dll, a program of System32)
SYSTEM32 = (
    f"D:PAI(A;;FA;;;{TRUSTED})(A;;0x1200a9;;;BA)(A;;0x1200a9;;;SY)(A;;0x1200a9;;;BU)"
    "(A;;0x1200a9;;;AC)(A;;0x1200a9;;;S-1-15-2-2)"
)
# https://github.com/cbrt64/Reset-inetpub (Reset.ps1, Windows 11)
INETPUB = (
    f"D:PAI(A;;FA;;;{TRUSTED})(A;OICIIO;GA;;;{TRUSTED})(A;;FA;;;SY)(A;OICIIO;GA;;;SY)"
    "(A;;FA;;;BA)(A;OICIIO;GA;;;BA)(A;;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)(A;OICIIO;GA;;;CO)"
)
# A test of an installer with output of Windows 10, decoded from UTF-16: a public copy whose
# origin could not be placed.
INHERITED = (
    "D:(A;ID;FA;;;BA)(A;OICIIOID;GA;;;BA)(A;ID;FA;;;SY)(A;OICIIOID;GA;;;SY)(A;ID;0x1301bf;;;AU)"
    "(A;OICIIOID;SDGXGWGR;;;AU)(A;ID;0x1200a9;;;BU)(A;OICIIOID;GXGR;;;BU)"
)
EMPTY_SACLS = ("", "S:AINO_ACCESS_CONTROL", "S:PAINO_ACCESS_CONTROL", "S:AI")
# https://learn.microsoft.com and vendors' pages on "sc sdshow scmanager"
SERVICE_MANAGER = (
    "D:(A;;CC;;;AU)(A;;CCLCRPRC;;;IU)(A;;CCLCRPRC;;;SU)(A;;CCLCRPWPRC;;;SY)(A;;KA;;;BA)"
    "S:(AU;FA;KA;;;WD)(AU;OIIOFA;GA;;;WD)"
)


@pytest.mark.parametrize("sacl", EMPTY_SACLS)
@pytest.mark.parametrize("dacl", [SYSTEM32, INETPUB, INHERITED])
def test_the_agent_reads_what_icacls_saves(dacl: str, sacl: str) -> None:
    saved = f"sppsvc.exe\r\n{dacl}{sacl}\r\n"
    assert Tools().read(saved, r'readSddl("C:\\Windows\\System32\\sppsvc.exe")') == dacl


@pytest.mark.parametrize("sacl", EMPTY_SACLS)
def test_a_sacl_behind_it_changes_nothing_about_a_dacl(sacl: str) -> None:
    assert parse(SYSTEM32 + sacl) == parse(SYSTEM32)
    assert execute_access(SYSTEM32 + sacl) == execute_access(SYSTEM32)
    assert parse(granted(SYSTEM32 + sacl, "S-1-5-20", ())) is not None
    denied = SYSTEM32.replace("D:PAI", "D:PAI(D;;FX;;;NS)") + sacl
    assert execute_access(denied).access == "denied"
    assert grants(SYSTEM32 + sacl, {"S-1-5-99"}, 0x20) is False


def test_every_entry_of_real_dacls_is_understood() -> None:
    for dacl in (SYSTEM32, INETPUB, INHERITED):
        entries = parse(dacl)
        assert entries is not None
        assert len(entries) == dacl.count("(")


def test_the_agent_reads_what_sc_shows() -> None:
    shown = f"\r\n{SERVICE_MANAGER}\r\n"
    read = Tools().read(shown, 'matchOf("sc.exe", "sdshow PlugPlay", /D:[^\\r\\n]+/)')
    assert read == SERVICE_MANAGER
    assert grants(read, {"S-1-5-6"}, 0x4) is True
