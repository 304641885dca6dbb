"""w32tm.exe: config, resync and the service's status.  Failures exit with the HRESULT.

A refused or empty resync exits with 0 and only reports so in the language of Windows, as
users of real servers tell (tests/world/test_world_tools.py); it is the harder of the two for a
caller.
"""

from __future__ import annotations

from volact_lab.cmd.process import Process
from volact_lab.codes import signed
from volact_lab.errors import LabError, WinFault
from volact_lab.programs.w32tm_status import status_lines
from volact_lab.windows.w32time import SERVICE

_FLAGS = {"manual": "NTP", "domhier": "NT5DS"}


def run(process: Process) -> int:
    """Run one w32tm command."""
    words = process.argv()
    try:
        process.machine.need_admin()
        match words[0].lower() if words else "":
            case "/config":
                _config(process, words[1:])
            case "/resync":
                return _resync(process, words[1:])
            case "/query":
                _query(process, words[1:])
            case _:
                raise LabError(f"w32tm {process.arguments} is not modelled")
    except WinFault as fault:
        text = process.machine.language.win32_text(fault.code & 0xFFFF)
        process.say(f"{text} (0x{fault.code:08X})")
        return signed(fault.code)
    return 0


def _config(process: Process, words: list[str]) -> None:
    kind = peers = None
    update = False
    for word in words:
        name, _, value = word.partition(":")
        match name.lower():
            case "/manualpeerlist":
                peers = value
            case "/syncfromflags" if value.lower() in _FLAGS:
                kind = _FLAGS[value.lower()]
            case "/update":
                update = True
            case _:
                raise LabError(f"w32tm /config {word} is not modelled")
    process.machine.services.get(SERVICE)
    process.machine.time.write(kind, peers)
    if update:
        process.machine.time.update()
    process.say(process.machine.language.done)


def _resync(process: Process, words: list[str]) -> int:
    if {word.lower() for word in words} - {"/rediscover", "/nowait"}:
        raise LabError(f"w32tm {process.arguments} is not modelled")
    machine = process.machine
    language = machine.language
    process.say("Sending resync command to local computer")  # its translations were never seen
    outcome = machine.time.resync()
    said = {
        "done": language.done,
        "no-data": language.time_no_data,
        "stale": language.time_stale,
        "too-big": language.time_too_far,
    }
    process.say(said[outcome])
    return 0 if outcome == "done" else machine.time.refused


def _query(process: Process, words: list[str]) -> None:
    if [word.lower() for word in words] != ["/status", "/verbose"]:
        raise LabError(f"w32tm {process.arguments} is not modelled")
    machine = process.machine
    machine.time.need_running()
    for line in status_lines(machine.language, machine.time, machine.clock):
        process.say(line)
