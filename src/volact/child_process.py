"""How a process of volact starts another one: the same Python, the same volact."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # loading typing would take most of the time of --version
if TYPE_CHECKING:
    from typing import Any

_NEW_PROCESS_GROUP = 0x200  # CREATE_NEW_PROCESS_GROUP of Windows
_BEFORE = "VOLACT_PATH_BEFORE"


def python_command(module: str, *words: str) -> list[str]:
    """The command that runs a module of volact's."""
    # -P: no module of the current folder is taken for one of volact's.
    return [sys.executable, "-P", "-m", module, *words]


def python_environment(**more: str) -> dict[str, str]:
    """Where this process finds volact, the other one finds it, too, also in a single file."""
    path = os.pathsep.join(filter(None, sys.path))
    before = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": path, _BEFORE: before, **more}


def forget_path() -> None:
    """Call it in the other process: the programs that it starts have libraries of their own.

    A ``password-command`` that is a program of another Python would load volact's.
    """
    if before := os.environ.pop(_BEFORE, None):
        os.environ["PYTHONPATH"] = before
    elif before is not None:
        del os.environ["PYTHONPATH"]


def own_group() -> dict[str, Any]:
    """Ctrl-C in a terminal is for this process, which then tells the other one."""
    return {
        "start_new_session": True,
        "creationflags": _NEW_PROCESS_GROUP if sys.platform == "win32" else 0,
    }
