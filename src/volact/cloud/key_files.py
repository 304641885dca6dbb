"""Files of keys that settings name.  What a pipe holds comes once, and is needed several times."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from volact.bounded.files import as_file, is_pipe, own_path, read_named, require_readable
from volact.errors import InputError, one_line, unreadable
from volact.model.text import say


@contextmanager
def named_file(name: str) -> Iterator[str]:
    """The path of a file for an SDK that reads it itself: of a pipe, a copy for this long."""
    path = own_path(name)
    with ExitStack() as stack:
        try:
            require_readable(path)
            file = stack.enter_context(_in_memory(path) if is_pipe(path) else as_file(path))
        except OSError as error:
            raise unreadable(error, path) from error
        yield str(file)


@contextmanager
def _in_memory(path: Path) -> Iterator[Path]:
    """What a pipe gives, as a file that is on no disk."""
    if not hasattr(os, "memfd_create"):  # macOS: a file in a folder that only its user can read
        with as_file(path) as file:
            yield file
        return
    with os.fdopen(os.memfd_create("volact"), "wb", buffering=0) as held:
        held.write(read_named(path))
        yield Path(f"/proc/self/fd/{held.fileno()}")


def profile_in(path: Path, section: str, *, needed: bool = True) -> dict[str, str] | None:
    """A section of a file of profiles, ``None`` where it is not there and not needed."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_named(path).decode())
    except OSError as error:
        raise unreadable(error, path) from error
    except (UnicodeDecodeError, configparser.Error) as error:
        # What the parser says would quote the line, and the line may be a key.
        raise InputError(say("is not a file of profiles"), where=str(path)) from error
    if parser.has_section(section):
        return dict(parser.items(section))
    if not needed:
        return None
    known = ", ".join(parser.sections()) or "none"
    raise InputError(
        say("has no section [{name}]", name=one_line(section, 40)),
        say("it has: {known}", known=known),
        where=str(path),
    )
