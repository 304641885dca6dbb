"""The programs of System32 that the lab knows; importing this makes them known to ``cmd``.

Each takes a ``Process`` and returns its exit code.  A form of call that is not
modelled is a LabError.
"""

from __future__ import annotations

from volact_lab.cmd.launch import PROGRAMS
from volact_lab.programs import (
    chcp,
    cmd_exe,
    cscript,
    findstr,
    icacls,
    ipconfig,
    net,
    ping,
    reg,
    route,
    sc,
    takeown,
    w32tm,
    wevtutil,
)

PROGRAMS.update(
    {
        "chcp.com": chcp.run,
        "cmd.exe": cmd_exe.run,
        "cscript.exe": cscript.run,
        "findstr.exe": findstr.run,
        "icacls.exe": icacls.run,
        "ipconfig.exe": ipconfig.run,
        "net.exe": net.run,
        "ping.exe": ping.run,
        "reg.exe": reg.run,
        "route.exe": route.run,
        "sc.exe": sc.run,
        "takeown.exe": takeown.run,
        "w32tm.exe": w32tm.run,
        "wevtutil.exe": wevtutil.run,
    }
)
