"""A file that volact writes takes the place of a regular file and of nothing else."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from volact.cli.atomic_file import AtomicFile, atomic_file, write_whole
from volact.errors import InputError
from volact.model.text import say

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes of POSIX")


def write(path: Path, text: str = "whole") -> None:
    with atomic_file(path) as file:
        file.write(text)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_gets_what_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "new")
    finally:
        os.umask(before)
    assert mode(tmp_path / "new") == 0o640


@pytest.mark.parametrize("wanted", [0o600, 0o640, 0o666])
def test_a_file_that_is_there_keeps_its_mode(tmp_path: Path, wanted: int) -> None:
    path = tmp_path / "report"
    path.write_text("before")
    path.chmod(wanted)
    write(path)
    assert (path.read_text(), mode(path)) == ("whole", wanted)


def test_a_system_may_know_modes_without_owners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Python 3.13 on Windows."""
    monkeypatch.delattr(os, "fchown")
    path = tmp_path / "report"
    path.touch(0o640)
    write(path)
    assert (path.read_text(), mode(path)) == ("whole", 0o640)


def test_a_part_is_never_open_to_more_than_its_file(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.touch(0o600)
    target = AtomicFile(path)
    try:
        (part,) = [other for other in tmp_path.iterdir() if other != path]
        assert mode(part) == 0o600
    finally:
        target.discard()
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_and_leads_to_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    real, link = tmp_path / "folder" / "real", tmp_path / "link"
    for there in (True, False):
        link.unlink(missing_ok=True)
        real.unlink(missing_ok=True)
        if there:
            real.touch(0o600)
        link.symlink_to(real)
        write(link)
        assert link.is_symlink()
        assert real.read_text() == "whole"
        assert [path.name for path in real.parent.iterdir()] == ["real"]


def test_a_device_is_written_to_and_stays_one(tmp_path: Path) -> None:
    device = Path("/dev/null")
    before = device.stat()
    write(device)
    assert stat.S_ISCHR(device.stat().st_mode)
    assert device.stat().st_ino == before.st_ino
    link = tmp_path / "null"
    link.symlink_to(device)
    write(link)
    assert link.is_symlink()


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    target = AtomicFile(pipe)  # does not wait for a reader
    target.file.write("whole" * 50_000)  # more than a pipe holds
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    _kept(target)
    reader.join()
    assert got == ["whole" * 50_000]
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


def _kept(target: AtomicFile) -> None:
    """Keep it as soon as a reader opens it."""
    while True:
        try:
            target.keep()
        except OSError:
            continue
        return


def test_a_pipe_without_a_reader_is_an_error_and_no_hang(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="No such device"):
        write(pipe)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


def test_an_open_descriptor_is_written_to(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path\n"
        "from volact.cli.atomic_file import atomic_file\n"
        "print('before', flush=True)\n"
        "with atomic_file(Path('/dev/stdout')) as file: file.write('whole\\n')\n"
        "print('after')\n"
    )
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", program], stdout=out, check=True)
    assert (tmp_path / "out").read_text() == "before\nwhole\nafter\n"


def test_folders_sockets_and_closed_descriptors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory"):
        AtomicFile(tmp_path)
    with pytest.raises(InputError, match="Bad file descriptor"):
        AtomicFile(Path("/dev/fd/98765"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        with pytest.raises(InputError, match="is a socket"):
            AtomicFile(tmp_path / "s")


def test_what_became_something_else_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.touch()
    target = AtomicFile(path)
    target.file.write("whole")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FileExistsError):
        target.keep()
    target.discard()
    assert stat.S_ISFIFO(path.lstat().st_mode)
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_must_be_new(tmp_path: Path) -> None:
    path = tmp_path / "script"
    write_whole(path, b"one", taken=say("choose another"))
    with pytest.raises(InputError, match="already exists") as told:
        write_whole(path, b"two", taken=say("choose another"))
    assert (told.value.hint, told.value.where) == ("choose another", str(path))
    assert path.read_bytes() == b"one"
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="already exists"):
        write_whole(tmp_path / "dangling", b"two", taken=say("choose another"))
    assert not (tmp_path / "nowhere").exists()
    late = AtomicFile(tmp_path / "late", new=True)
    (tmp_path / "late").write_bytes(b"first")
    with pytest.raises(FileExistsError):
        late.keep()
    late.discard()
    assert (tmp_path / "late").read_bytes() == b"first"
