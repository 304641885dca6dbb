"""Scripting.FileSystemObject: its operations and its error numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from volact_lab import codes
from volact_lab.cmd.process import Process
from volact_lab.errors import LabError, WinFault
from volact_lab.script.values import Answer, Json
from volact_lab.windows.files import normal, parent

_WINDOWS = "c:\\windows"
_NUMBERS = {
    codes.FILE_NOT_FOUND: codes.JS_FILE_NOT_FOUND,
    codes.PATH_NOT_FOUND: codes.JS_PATH_NOT_FOUND,
    codes.ACCESS_DENIED: codes.JS_PERMISSION,
    codes.INVALID_NAME: codes.JS_FILE_NOT_FOUND,
}


class FileOperations:
    """What a script may do with files."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._files = process.machine.files
        self.operations: dict[str, Callable[..., Answer]] = {
            "file.exists": self._exists,
            "folder.exists": self._folder_exists,
            "file.stat": self._stat,
            "file.text": self._text,
            "file.read": self._read,
            "drive.stat": self._drive,
            "file.create": self._create,
            "file.write": self._write,
            "file.append": self._append,
            "file.delete": self._delete,
            "file.move": self._move,
        }

    def _path(self, path: str) -> str:
        return normal(path, self._process.cwd)

    def _exists(self, path: str, *_: Any) -> bool:
        return self._ask(path, self._files.is_file)

    def _folder_exists(self, path: str, *_: Any) -> bool:
        return self._ask(path, self._files.is_folder)

    def _ask(self, path: str, question: Callable[[str], bool]) -> bool:
        try:
            return question(self._path(path))
        except WinFault:
            return False  # a name that cannot be

    def _stat(self, path: str, *_: Any) -> str:
        with _ScriptErrors():
            node = self._files.stat(self._path(path))
        size = len(node.data) if node.data is not None else 0
        return Json.of({"path": node.path, "name": node.name, "size": size})

    def _text(self, path: str, charset: str, *_: Any) -> str:
        """A text as ADODB.Stream decodes it; NUL does not come over the bridge as it is."""
        known = {"utf-8": "utf-8-sig", "unicode": "utf-16"}
        if charset not in known:
            raise LabError(f"the charset {charset} of ADODB.Stream is not modelled")
        with _ScriptErrors():
            data = self._files.read(self._path(path))
        return data.decode(known[charset], "replace").replace("\0", "\ue000")

    def _drive(self, name: str, *_: Any) -> str:
        if name.upper().rstrip("\\") != "C:":
            raise WinFault(codes.JS_DEVICE, "Device unavailable")
        return Json.of({"free": self._process.machine.free_bytes})

    def _read(self, path: str, wide: bool, *_: Any) -> str:
        with _ScriptErrors():
            data = self._files.read(self._path(path))
        if wide:
            return data.removeprefix(b"\xff\xfe").decode("utf-16-le", "replace")
        return data.decode(self._process.machine.language.ansi, "replace")

    def _create(self, path: str, overwrite: bool, *_: Any) -> None:
        with _ScriptErrors():
            full = self._path(path)
            self._need_rights(full)
            if self._files.is_file(full) and not overwrite:
                raise WinFault(codes.JS_FILE_EXISTS, "File already exists")
            self._files.write(full, b"")

    def _write(self, path: str, text: str, wide: bool, *_: Any) -> None:
        ansi = self._process.machine.language.ansi
        text = text.replace("\ue000", "\0")
        data = b"\xff\xfe" + text.encode("utf-16-le") if wide else text.encode(ansi, "replace")
        with _ScriptErrors():
            self._files.write(self._path(path), data)

    def _append(self, path: str, text: str, *_: Any) -> None:
        with _ScriptErrors():
            full = self._path(path)
            self._need_rights(full)
            earlier = self._files.read(full) if self._files.is_file(full) else b""
            added = text.encode(self._process.machine.language.ansi, "replace")
            self._files.write(full, earlier + added)

    def _delete(self, path: str, *_: Any) -> None:
        with _ScriptErrors():
            full = self._path(path)
            if not self._files.is_file(full):
                raise WinFault(codes.JS_FILE_NOT_FOUND, "File not found")
            self._need_closed(full)
            self._files.delete(full, self._process.machine.token)

    def _move(self, old: str, new: str, *_: Any) -> None:
        with _ScriptErrors():
            path, target = self._path(old), self._path(new)
            if not self._files.is_file(path):
                raise WinFault(codes.JS_FILE_NOT_FOUND, "File not found")
            if self._files.find(target) is not None:
                raise WinFault(codes.JS_FILE_EXISTS, "File already exists")
            self._need_closed(path)
            self._need_rights(target)
            self._files.rename(path, target)

    def _need_rights(self, path: str) -> None:
        """Into the Windows folder itself only administrators write."""
        if parent(path).lower() == _WINDOWS and not self._process.machine.elevated:
            raise WinFault(codes.JS_PERMISSION, "Permission denied")

    def _need_closed(self, path: str) -> None:
        """The licensing service holds its store open while it runs."""
        machine = self._process.machine
        service = machine.services.get(machine.release.licensing_service)
        tokens = machine.licensing.store.tokens
        if path.lower() == tokens.lower() and service.state == "Running":
            raise WinFault(codes.JS_PERMISSION, "Permission denied")


class _ScriptErrors:
    """Turns Win32 numbers into the numbers of the script runtime."""

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, WinFault) and error.code >> 16 == 0x8007:
            number = _NUMBERS.get(error.code & 0xFFFF, codes.JS_BAD_CALL)
            raise WinFault(number, error.text) from error
