"""icacls.exe on single files: save, restore, grant, deny, remove and set the owner.

Exit codes are Win32 numbers.  The owner may change a DACL; an administrator
who is not the owner may only if an entry allows it.
"""

from __future__ import annotations

import re

from volact_lab import codes
from volact_lab.cmd.process import Process
from volact_lab.errors import LabError, WinFault, win32
from volact_lab.windows import acl
from volact_lab.windows.files import normal

_RIGHTS = {"(RX)": acl.READ_EXECUTE, "(F)": acl.FULL, "(R)": 0x120089, "(X)": acl.EXECUTE}
_DENIED_BITS = 0x100000  # SYNCHRONIZE is never denied
_SID = re.compile(r"\*(S-1-[0-9-]+)")


def run(process: Process) -> int:
    """Run one icacls command."""
    words = [word for word in process.argv() if word.lower() not in {"/q", "/c"}]
    if len(words) == 2 and words[1].lower() == "/inheritance:d":
        words.append("")
    if len(words) != 3:
        raise LabError(f"icacls {process.arguments} is not modelled")
    try:
        _run(process, words[0], words[1].lower(), words[2])
    except WinFault as fault:
        number = fault.code & 0xFFFF
        process.complain(f"{words[0]}: {process.machine.language.win32_text(number)}")
        return number
    process.say(process.machine.language.done)
    return 0


def _run(process: Process, target: str, verb: str, argument: str) -> None:
    machine = process.machine
    path = normal(target, process.cwd)
    node = machine.files.stat(path)
    match verb:
        case "/save":
            sddl = "" if machine.odd == "acl-text" else node.dacl.sddl() + machine.audit
            text = f"{node.name}\r\n{sddl}\r\n"
            machine.files.write(normal(argument, process.cwd), text.encode("utf-16-le"))
        case "/restore":
            _restore(process, path, machine.files.read(normal(argument, process.cwd)))
        case "/setowner":
            machine.need_admin()  # and its right to restore files
            machine.files.change(path, owner=_sid(argument))
        case "/inheritance:d" if machine.spec.release == "2008":
            raise win32(codes.INVALID_PARAMETER, verb)
        case "/inheritance:d":
            _need_dacl(process, path)
            machine.files.change(path, dacl=node.dacl.on_its_own())
        case "/remove:d":
            _need_dacl(process, path)
            machine.files.change(path, dacl=node.dacl.without_deny(_sid(argument)))
        case "/grant" | "/deny":
            _need_dacl(process, path)
            sid, rights = _granted(argument)
            changed = (
                node.dacl.granting(sid, rights)
                if verb == "/grant"
                else node.dacl.denying(sid, rights & ~_DENIED_BITS)
            )
            machine.files.change(path, dacl=changed)
        case _:
            raise LabError(f"icacls {verb} is not modelled")


def _restore(process: Process, folder: str, saved: bytes) -> None:
    """Lines in pairs, as they were saved: a name in the folder, and its DACL."""
    lines = saved.decode("utf-16-le").splitlines()
    for name, sddl in zip(lines[::2], lines[1::2], strict=True):
        path = normal(name, folder)
        process.machine.files.stat(path)
        _need_dacl(process, path)
        process.machine.files.change(path, dacl=acl.parse(sddl))


def _need_dacl(process: Process, path: str) -> None:
    machine = process.machine
    if not machine.files.may_change_dacl(path, machine.token):
        raise win32(codes.ACCESS_DENIED, path)


def _sid(text: str) -> str:
    match = _SID.fullmatch(text)
    if match is None:
        raise LabError(f"icacls with an account name is not modelled: {text}")
    return match[1]


def _granted(text: str) -> tuple[str, int]:
    sid, _, rights = text.partition(":")
    if rights not in _RIGHTS:
        raise LabError(f"icacls with these rights is not modelled: {text}")
    return _sid(sid), _RIGHTS[rights]
