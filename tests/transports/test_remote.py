"""Paths and commands for a Windows shell: pure, so every odd account is a line."""

from __future__ import annotations

import pytest

from volact.transports.remote import COMMANDS, absolute, profile_place, shared_place

PROFILE = profile_place("volact-1.bat")


@pytest.mark.parametrize(
    ("home", "path"),
    [
        ("/C:/Users/Administrator", r"C:\Users\Administrator\AppData\Local\Temp\volact-1.bat"),
        ("C:/Users/Administrator/", r"C:\Users\Administrator\AppData\Local\Temp\volact-1.bat"),
        ("/d:/Users/admin.CORP", r"d:\Users\admin.CORP\AppData\Local\Temp\volact-1.bat"),
        ("/C:/Users/John Doe", r"C:\Users\John Doe\AppData\Local\Temp\volact-1.bat"),
        ("/C:/Users/管理员", r"C:\Users\管理员\AppData\Local\Temp\volact-1.bat"),
        ("/C:", r"C:\AppData\Local\Temp\volact-1.bat"),
    ],
)
def test_a_windows_home_gives_the_full_path(home: str, path: str) -> None:
    place = absolute(PROFILE, home)
    assert place is not None
    assert place.path == path
    assert place.upload == "AppData/Local/Temp/volact-1.bat"


@pytest.mark.parametrize("home", ["/home/win", "/", "/cygdrive/c/Users/a"])
def test_another_tree_leaves_the_path_relative(home: str) -> None:
    place = absolute(PROFILE, home)
    assert place is not None
    assert place.path == r"AppData\Local\Temp\volact-1.bat"


@pytest.mark.parametrize("name", ["a&b", "100%", "it(1)", "x$y", 'q"', "a^b", "a`b", "x!", "a;b"])
def test_a_home_that_a_shell_would_misread_is_not_used(name: str) -> None:
    assert absolute(PROFILE, f"/C:/Users/{name}") is None


def test_the_systems_folder_is_the_other_choice() -> None:
    place = shared_place("volact-1.bat")
    assert (place.upload, place.path) == (
        "C:/Windows/Temp/volact-1.bat",
        r"C:\Windows\Temp\volact-1.bat",
    )


def test_one_command_for_every_shell_and_one_more_for_msys() -> None:
    assert COMMANDS == ('cmd.exe /c "{path}"', 'cmd.exe //c "{path}"')
