"""The simulated registry."""

from __future__ import annotations

import pytest

from volact_lab.errors import WinFault
from volact_lab.windows.registry import Image, Registry, dword, put, sz


def image() -> Image:
    base: Image = {}
    put(base, "HKLM\\SOFTWARE\\Vendor\\Thing", "Name", sz("here"))
    return base


def test_paths_and_names_do_not_care_about_case() -> None:
    registry = Registry(image())
    value = registry.get("hkey_local_machine\\Software\\VENDOR\\thing", "NAME")
    assert value == sz("here")


def test_what_a_server_writes_stays_its_own() -> None:
    base = image()
    one, other = Registry(base), Registry(base)
    one.set("HKLM\\SOFTWARE\\Vendor\\Thing", "Name", sz("changed"))
    assert one.text("HKLM\\SOFTWARE\\Vendor\\Thing", "Name") == "changed"
    assert other.text("HKLM\\SOFTWARE\\Vendor\\Thing", "Name") == "here"


def test_missing_key_and_missing_value_are_file_not_found() -> None:
    registry = Registry(image())
    for path, name in (("HKLM\\Nowhere", "x"), ("HKLM\\SOFTWARE\\Vendor\\Thing", "x")):
        with pytest.raises(WinFault) as caught:
            registry.get(path, name)
        assert caught.value.code == 0x80070002


def test_denied_keys_answer_access_denied_for_reading_and_writing() -> None:
    registry = Registry(image())
    registry.denied = lambda path, _write: path.startswith("hkey_local_machine\\software")
    with pytest.raises(WinFault) as caught:
        registry.get("HKLM\\SOFTWARE\\Vendor\\Thing", "Name")
    assert caught.value.code == 0x80070005
    with pytest.raises(WinFault):
        registry.set("HKLM\\SOFTWARE\\Vendor\\Thing", "Name", sz("x"))


def test_a_key_with_subkeys_goes_only_as_a_tree() -> None:
    registry = Registry(image())
    with pytest.raises(WinFault):
        registry.delete_key("HKLM\\SOFTWARE\\Vendor")
    registry.delete_key("HKLM\\SOFTWARE\\Vendor", tree=True)
    assert not registry.has_key("HKLM\\SOFTWARE\\Vendor\\Thing")
    assert registry.has_key("HKLM\\SOFTWARE")


def test_a_number_is_kept_as_thirty_two_bits() -> None:
    registry = Registry({})
    registry.set("HKLM\\A", "n", dword(-1))
    assert registry.number("HKLM\\A", "n") == 0xFFFFFFFF


def test_subkeys_are_the_direct_ones() -> None:
    registry = Registry(image())
    registry.create("HKLM\\SOFTWARE\\Vendor\\Other\\Deep")
    found = {path.rpartition("\\")[2] for path in registry.subkeys("HKLM\\SOFTWARE\\Vendor")}
    assert found == {"Thing", "Other"}
