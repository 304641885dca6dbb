"""``dir``, in the one form that the lab models: the files of a name, in a folder and all below."""

from __future__ import annotations

import fnmatch
import re

from volact_lab.cmd.interpreter import Interpreter
from volact_lab.errors import LabError
from volact_lab.windows.files import normal

_FORM = re.compile(r'\s*/s /b /a-d "([^"]+)\\([^"\\]+)"\s*', re.IGNORECASE)


def run(shell: Interpreter, rest: str) -> None:
    """List them, as ``dir /s /b /a-d "FOLDER\\*.END"`` does."""
    form = _FORM.fullmatch(rest)
    if form is None:
        raise LabError(f"dir{rest} is not modelled")
    found, folders = 0, [normal(form[1], shell.process.cwd)]
    while folders:
        for node in shell.process.machine.files.children(folders.pop(0)):
            if node.folder:
                folders.append(node.path)
            elif fnmatch.fnmatch(node.name.lower(), form[2].lower()):
                shell.process.say(node.path)
                found += 1
    shell.errorlevel = int(not found)
