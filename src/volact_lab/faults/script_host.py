"""Faults that keep any script from running: nothing but the cause can be found out."""

from __future__ import annotations

from collections.abc import Callable

from volact_lab.faults.base import Fault, always
from volact_lab.windows import acl
from volact_lab.windows.image import JSCRIPT
from volact_lab.windows.machine import Machine
from volact_lab.windows.spec import ShellName

_SYSTEM = "C:\\Windows\\System32"


def _objects(machine: Machine) -> None:
    """``regsvr32 /u`` of wshom.ocx, or of scrrun.dll as some guides to hardening want it."""
    names = ("wscript.shell", "scripting.filesystemobject")
    machine.unregistered = {names[machine.spec.variant("script-objects")]}


def _no_engine(machine: Machine) -> None:
    machine.registry.delete_key(JSCRIPT)


def _denied(file: str) -> Callable[[Machine], None]:
    """No account may read or execute the file, as after the workaround of ADV200001."""

    def deny(machine: Machine) -> None:
        node = machine.files.stat(f"{_SYSTEM}\\{file}")
        machine.files.change(node.path, dacl=node.dacl.denying(acl.EVERYONE, acl.READ_EXECUTE))

    return deny


def _no_cscript(machine: Machine) -> None:
    machine.files.delete(f"{_SYSTEM}\\cscript.exe", {acl.TRUSTED_INSTALLER})


def _odd(what: str) -> Callable[[Machine], None]:
    def make(machine: Machine) -> None:
        machine.odd = what

    return make


def _shell(name: ShellName) -> Callable[[Machine], None]:
    def make(machine: Machine) -> None:
        machine.shell = name

    return make


def _blocked(id: str, apply: Callable[[Machine], None]) -> Fault:
    return Fault(id, always(), "unreachable", apply, error="agent")


FAULTS = (
    _blocked("script-objects", _objects),
    _blocked("engine-missing", _no_engine),
    _blocked("engine-denied", _denied("jscript.dll")),
    _blocked("cscript-denied", _denied("cscript.exe")),
    _blocked("cscript-missing", _no_cscript),
    _blocked("script-enforcement", _odd("enforced")),
    _blocked("antivirus-script", _odd("antivirus-js")),
    _blocked("antivirus-file", _odd("antivirus-bat")),
    # OpenSSH passes -c to a cmd.exe whose path it does not recognise.
    _blocked("shell-swallows", _shell("cmd-c")),
    Fault("shell-unicode", always(), "healthy", _shell("cmd-u")),
)
