"""slmgr.vbs: the options that a person types to activate by hand.

Exit codes as the script has them: 0 at every ordinary end, 1 for usage, else
the signed HRESULT.  Its output is not modelled beyond the code; ``-dlv`` prints
in the lab's own words what is in WMI, as no program reads that.
"""

from __future__ import annotations

from volact_lab.cmd.process import Process
from volact_lab.codes import signed
from volact_lab.errors import LabError, WinFault
from volact_lab.windows import upkeep
from volact_lab.windows.licensing import NAME, PORT
from volact_lab.windows.products import WINDOWS_APP, Product


def run(process: Process, words: list[str]) -> int:
    """Run one option."""
    try:
        _run(process, words)
    except WinFault as fault:
        process.say(f"{process.machine.language.error_word}: 0x{fault.code:08X}")
        return signed(fault.code)
    return 0


def _run(process: Process, words: list[str]) -> None:
    machine = process.machine
    licensing = machine.licensing
    option = words[0].lower().replace("/", "-") if words else ""
    licensing.need_service()
    match (option, words[1:]):
        case ("-skms", [host]):
            machine.need_admin()
            name, _, port = host.partition(":")
            licensing.set_machine(name)
            if port:
                # On Server 2008 the script writes the registry value: WMI has no setter.
                licensing.set_port(int(port))
            else:
                licensing.clear(PORT)
        case ("-ckms", []):
            machine.need_admin()
            licensing.clear(NAME)
            licensing.clear(PORT)
        case ("-ipk", [key]):
            machine.need_admin()
            licensing.install_key(key)
        case ("-rilc", []):
            machine.need_admin()
            upkeep.reinstall_licences(licensing)
        case ("-rearm", []):
            machine.need_admin()
            upkeep.rearm_windows(licensing)
        case ("-ato", []):
            for product in filter(_is_primary, licensing.products):
                licensing.activate(product)
        case ("-dlv", []):
            for product in filter(_is_primary, licensing.products):
                process.say(_standing(product))
        case _:
            raise LabError(f"slmgr {' '.join(words)} is not modelled")


def _is_primary(product: Product) -> bool:
    return product.app == WINDOWS_APP and product.partial_key is not None and not product.addon


def _standing(product: Product) -> str:
    left = f"{product.minutes_left} minutes left"
    return f"{product.name}: key {product.partial_key}, status {product.status}, {left}"
