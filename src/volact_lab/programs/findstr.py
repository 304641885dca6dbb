"""findstr: lines of the standard input that match; here only ``"^"``, which all do.

A line of more than 8,191 characters is cut.
"""

from __future__ import annotations

from volact_lab.cmd.process import Process
from volact_lab.errors import LabError

_LONGEST = 8191


def run(process: Process) -> int:
    """Copy every line.  A last line without an end gets one."""
    if process.argv() != ["^"]:
        raise LabError(f"findstr {process.arguments} is not modelled")
    data = process.read()
    data = b"\n".join(line[:_LONGEST] for line in data.split(b"\n"))
    process.out.write(data if data.endswith(b"\n") or not data else data + b"\r\n")
    return 0 if data else 1
