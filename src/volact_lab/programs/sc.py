"""sc.exe: config, query, sdshow, start, stop and triggerinfo.  Exit codes are Win32 numbers."""

from __future__ import annotations

from volact_lab import codes
from volact_lab.cmd.process import Process
from volact_lab.errors import LabError, WinFault, win32
from volact_lab.windows import acl
from volact_lab.windows.releases import Generation
from volact_lab.windows.services import Service, Start
from volact_lab.windows.w32time import DOMAIN, NETWORK, SERVICE, write_triggers

_STARTS: dict[str, tuple[Start, bool]] = {
    "auto": ("Auto", False),
    "delayed-auto": ("Auto", True),
    "demand": ("Manual", False),
    "disabled": ("Disabled", False),
}
# What replaces all triggers of a service; ``delete`` takes them away.
_TRIGGERS: dict[str, tuple[tuple[int, int], ...]] = {
    "start/networkon": NETWORK[:1],
    "stop/networkoff": NETWORK[1:],
    "start/domainjoin": DOMAIN[:1],
    "stop/domainleave": DOMAIN[1:],
    "delete": (),
}
CHANGE_CONFIG = 0x2
_STATES = {"Stopped": "1  STOPPED", "Running": "4  RUNNING"}


def run(process: Process) -> int:
    """Run one sc command."""
    words = process.argv()
    try:
        _run(process, [word.lower() for word in words], words)
    except WinFault as fault:
        number = fault.code & 0xFFFF
        process.say(f"[SC] {number}:\r\n\r\n{process.machine.language.win32_text(number)}\r\n")
        return number
    return 0


def _run(process: Process, words: list[str], typed: list[str]) -> None:
    services = process.machine.services
    match words:
        case ["config", name, "start=", start] if start in _STARTS:
            process.machine.need_admin()
            if not acl.parse(services.get(name).sddl).allows(process.machine.token, CHANGE_CONFIG):
                raise win32(codes.ACCESS_DENIED, name)
            mode, delayed = _STARTS[start]
            services.configure(name, mode, delayed=delayed)
            process.say("[SC] ChangeServiceConfig SUCCESS")
        case ["triggerinfo", name, *options] if all(word in _TRIGGERS for word in options):
            process.machine.need_admin()
            service = services.get(name)
            if service.name != SERVICE or process.machine.release.generation is Generation.SL:
                raise LabError(f"sc {' '.join(typed)} is not modelled")
            triggers = (trigger for word in options for trigger in _TRIGGERS[word])
            write_triggers(process.machine.registry, tuple(triggers))
            process.say("[SC] ChangeServiceConfig2 SUCCESS")
        case ["sdshow", name]:
            process.say(f"\r\n{services.get(name).sddl}")
        case ["query", name]:
            _show(process, services.get(name))
        case ["start", name]:
            process.machine.need_admin()
            services.start(name)
            _show(process, services.get(name))
        case ["stop", name]:
            process.machine.need_admin()
            services.stop(name)
            _show(process, services.get(name))
        case ["config", name, option, *_] if option.startswith("start=") and option != "start=":
            # sc wants a blank behind the equals sign and shows its usage otherwise.
            raise WinFault(codes.INVALID_PARAMETER, name)
        case _:
            raise LabError(f"sc {' '.join(typed)} is not modelled")


def _show(process: Process, service: Service) -> None:
    process.say(f"\r\nSERVICE_NAME: {service.name}")
    process.say(f"        STATE              : {_STATES[service.state]}")
