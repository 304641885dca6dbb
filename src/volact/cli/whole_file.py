"""A file that appears under its name only when it is whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from volact.errors import InputError


class WholeFile:
    """Written beside its name and moved there at the end.

    ``InputError`` at once for a place that cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            handle, name = tempfile.mkstemp(
                prefix=f".{path.name}.", suffix=".part", dir=path.parent
            )
        except OSError as error:
            reason = error.strerror or "cannot be written"
            raise InputError(reason, "choose another file", where=str(path)) from error
        if path.is_dir():
            os.close(handle)
            Path(name).unlink()
            raise InputError("is a directory", "choose a file", where=str(path))
        self._part = Path(name)
        self.file: TextIO = os.fdopen(handle, "w", encoding="utf-8", newline="")

    def keep(self) -> None:
        """Put the file in its place."""
        self.file.close()
        self._part.chmod(0o666 & ~_umask())
        self._part.replace(self._path)

    def discard(self) -> None:
        """Leave nothing behind of what never became whole."""
        with suppress(OSError):  # a full disk has no room for the last bytes either
            self.file.close()
        self._part.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """The file, open; it stays only when nothing was raised meanwhile."""
    target = WholeFile(path)
    try:
        yield target.file
        target.keep()
    except BaseException:
        target.discard()
        raise


def _umask() -> int:
    """The process's umask; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
