"""Simulated files and their access lists."""

from __future__ import annotations

import pytest

from volact.errors import VolactError
from volact_lab.errors import LabError, WinFault
from volact_lab.windows import acl
from volact_lab.windows.files import Files, Image, Node, add, normal

PROGRAM = "C:\\Windows\\System32\\sppsvc.exe"
DEFAULT = f"D:PAI(A;;FA;;;{acl.TRUSTED_INSTALLER})(A;;0x1200a9;;;BA)(A;;0x1200a9;;;BU)"


def files() -> Files:
    base: Image = {}
    add(base, Node("C:\\", folder=True))
    add(base, Node("C:\\Temp", folder=True))
    owner = acl.TRUSTED_INSTALLER
    add(base, Node(PROGRAM, dacl=acl.parse(DEFAULT), owner=owner))
    return Files(base)


@pytest.mark.parametrize(
    "sddl",
    [
        DEFAULT,
        "D:(D;;CCSWWPLORC;;;NS)(A;;FA;;;SY)",
        "D:(D;;FX;;;WD)(A;ID;FR;;;S-1-5-21-1-2-3-500)",
        "D:",
    ],
)
def test_sddl_survives_reading_and_printing(sddl: str) -> None:
    assert acl.parse(sddl).sddl() == sddl


def test_what_is_no_file_dacl_is_refused() -> None:
    with pytest.raises(VolactError):
        acl.parse("O:BAD:(OA;;CR;guid;;WD)")


def test_a_denying_entry_in_front_wins() -> None:
    allowed = acl.parse(DEFAULT)
    denied = allowed.denying(acl.NETWORK_SERVICE, acl.EXECUTE)
    assert allowed.allows(acl.NETWORK_SERVICE_TOKEN, acl.EXECUTE)
    assert not denied.allows(acl.NETWORK_SERVICE_TOKEN, acl.EXECUTE)
    assert denied.without_deny(acl.NETWORK_SERVICE) == allowed


def test_granting_stands_behind_the_denying_entries() -> None:
    found = acl.parse("D:(D;;WP;;;LS)(A;;FA;;;SY)").granting(acl.NETWORK_SERVICE, 0x1200A9)
    assert found.sddl() == "D:(D;;WP;;;LS)(A;;0x1200a9;;;NS)(A;;FA;;;SY)"


def test_paths_are_made_absolute_without_dots() -> None:
    assert normal("c:/windows/../Temp/./a.txt") == "C:\\Temp\\a.txt"
    assert normal("a.txt", "C:\\Temp") == "C:\\Temp\\a.txt"
    with pytest.raises(WinFault) as caught:
        normal("C:\\a|b")
    assert caught.value.code == 0x8007007B


def test_a_missing_folder_is_told_from_a_missing_file() -> None:
    found = files()
    for path, code in (("C:\\Temp\\no", 0x80070002), ("C:\\No\\no", 0x80070003)):
        with pytest.raises(WinFault) as caught:
            found.read(path)
        assert caught.value.code == code


def test_system_programs_can_neither_be_changed_nor_removed_nor_read() -> None:
    found = files()
    with pytest.raises(WinFault) as caught:
        found.write(PROGRAM, b"x")
    assert caught.value.code == 0x80070005
    with pytest.raises(WinFault):
        found.delete(PROGRAM)
    with pytest.raises(LabError):
        found.read(PROGRAM)


def test_only_the_owner_may_change_a_system_programs_dacl() -> None:
    found = files()
    assert not found.may_change_dacl(PROGRAM, acl.ADMIN_TOKEN)
    found.change(PROGRAM, owner=acl.ADMINISTRATORS)
    assert found.may_change_dacl(PROGRAM, acl.ADMIN_TOKEN)


def test_a_folder_with_something_in_it_stays() -> None:
    found = files()
    found.write("C:\\Temp\\a", b"1")
    with pytest.raises(WinFault):
        found.delete("C:\\Temp")
    found.delete("C:\\TEMP\\A")
    found.delete("C:\\Temp")
    assert not found.is_folder("C:\\Temp")
