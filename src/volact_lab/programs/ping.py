"""ping.exe: what a name is in full and leads to; nothing of the lab answers a ping.

The first line has the name and, in brackets, the address; the forms are those of Windows
in these languages.
"""

from __future__ import annotations

from volact_lab.cmd.process import Process
from volact_lab.errors import LabError
from volact_lab.windows.network import NetFault

_FORMS = {
    "zh": "正在 Ping {} 具有 32 字节的数据:",
    "ja": "{}に ping を送信しています 32 バイトのデータ:",
}
_ENGLISH = "Pinging {} with 32 bytes of data:"


def run(process: Process) -> int:
    """Run ``ping -n 1 -w 1 NAME``; exit code 1, because no answer comes."""
    match process.argv():
        case ["-n", "1", "-w", "1", name]:
            pass
        case _:
            raise LabError(f"ping {process.arguments} is not modelled")
    machine = process.machine
    full = f"{name}.{machine.domain}" if machine.domain and "." not in name else name
    try:
        address = machine.network.resolve(full)
    except NetFault:
        process.say(f"Ping request could not find host {name}.")
        return 1
    process.say("")
    process.say(_FORMS.get(machine.language.tag, _ENGLISH).format(f"{full} [{address}]"))
    return 1
