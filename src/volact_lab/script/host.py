"""The bridge between a script and the simulated Windows.

``Bridge`` is called by the engine for everything a COM object does.  It never
raises: failures go back as text with a letter in front (see ``prelude/``).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from volact_lab import codes
from volact_lab.cmd import launch
from volact_lab.cmd.process import Child, Process
from volact_lab.cmd.streams import Nul
from volact_lab.codes import signed
from volact_lab.errors import Ended, LabError, WinFault
from volact_lab.script import registry_values
from volact_lab.script.clock import ScriptClock
from volact_lab.script.filesystem import FileOperations
from volact_lab.script.values import Answer, Json, tagged
from volact_lab.windows.http import REFUSED_AFTER_S, HttpPool, Limits
from volact_lab.wmi.schema import WmiClass
from volact_lab.wmi.service import Found, Wmi

_LAB = 0x8000FFFF
_SMALL = 1024  # bytes of a binary value that a script may read
_VARIABLE = re.compile(r"%([^%]+)%")


class Bridge:
    """All operations of one script run."""

    def __init__(self, process: Process, script: str, arguments: list[str]) -> None:
        self._process = process
        self._machine = process.machine
        self._script = script
        self._arguments = arguments
        self._children: list[Child] = []
        self._wmi = Wmi(process.machine)
        spec = process.machine.spec
        refused_after_s = REFUSED_AFTER_S[spec.variant("refused-after", len(REFUSED_AFTER_S))]
        self._http = HttpPool(process.machine.network, spec.name, refused_after_s)
        self._clock = ScriptClock()
        self.exit_code: int | None = None
        self.ended = False
        files = FileOperations(process)
        self._operations: dict[str, Callable[..., Answer]] = {
            "now": lambda *_: int(self._now() * 1000),
            "bias": lambda *_: self._machine.clock.bias,
            "echo": self._echo,
            "quit": self._quit,
            "sleep": self._sleep,
            "script": self._about,
            "arguments": lambda *_: Json.of(self._arguments),
            "run": self._run,
            "exec": self._exec,
            "child.status": self._child_status,
            "child.end": self._end_child,
            "expand": self._expand,
            "engine": lambda *_: self._engine(),
            "lab": self._lab,
            "object": self._object,
            "progid": self._progid,
            "reg.read": self._reg_read,
            "reg.write": self._reg_write,
            "reg.delete": self._reg_delete,
            "wmi.connect": self._wmi_connect,
            "wmi.query": self._wmi_query,
            "wmi.get": self._wmi_get,
            "wmi.call": self._wmi_call,
            "wmi.static": self._wmi_static,
            "http": self._request,
            **files.operations,
        }

    def __call__(self, op: str, *given: Any) -> Answer:
        """One call of the script."""
        if self.exit_code is not None or self.ended:
            return "q"
        with self._clock.operation(op):
            return self._answer(op, *given)

    def _answer(self, op: str, *given: Any) -> Answer:
        try:
            self._machine.check_time()
            answer = self._operations[op](*given)
        except WinFault as fault:
            return f"e{fault.code}:{fault.text}"
        except LabError as error:
            self._machine.report(error)
            return f"e{_LAB}:{error.message}"
        except Ended:
            self.ended = True
            return "q"
        if self.exit_code is not None:
            return "q"
        return tagged(answer)

    def close(self) -> None:
        """Give back what the process held."""
        self._http.close()

    # the host itself

    def _now(self) -> float:
        return self._clock.time + self._machine.clock.offset + self._http.waited_s

    def _echo(self, text: str, *_: Any) -> None:
        self._process.say(text)

    def _quit(self, code: float, *_: Any) -> None:
        self.exit_code = int(code)

    def _sleep(self, milliseconds: float, *_: Any) -> None:
        self._machine.network.wait(milliseconds / 1000)

    def _about(self, what: str, *_: Any) -> str:
        if what == "engine":
            return self._process.program
        if what == "domain":
            return self._machine.domain or ""
        return self._script if what == "full" else self._script.rpartition("\\")[2]

    def _run(self, command: str, wait: bool, *_: Any) -> int:
        if not wait:
            raise LabError(f"Run without waiting is not modelled: {command}")
        child = self._process.child("", "")
        child.out = child.err = Nul()
        code = launch.run_command_line(child, command)
        if code is None:
            raise WinFault(0x80070002, command)
        return 0 if self._machine.odd == "exit-code" else code

    def _exec(self, command: str, *_: Any) -> int:
        """A child runs to its end at once; one that a call blocks runs until it is ended."""
        if self._machine.odd == "exec-denied":
            raise WinFault(0x80070005, command)
        process = self._process.child("", "")
        process.out = process.err = Nul()
        process.watched = child = Child()
        try:
            if launch.run_command_line(process, command) is None:
                raise WinFault(0x80070002, command)
        except Ended:
            if not child.running:
                raise  # all of the session was ended
            self._machine.blocked += 1
        self._children.append(child)
        return len(self._children) - 1

    def _child_status(self, number: float, *_: Any) -> int:
        """A second passes for the script whenever it sees that a call blocks its child."""
        running = self._children[int(number)].running
        self._http.waited_s += running
        return int(not running)

    def _end_child(self, number: float, *_: Any) -> None:
        child = self._children[int(number)]
        self._machine.blocked -= child.running
        child.running = False

    def _expand(self, text: str, *_: Any) -> str:
        env = self._process.env
        return _VARIABLE.sub(lambda match: env.get(match[1]) or match[0], text)

    def _engine(self) -> str:
        """The engine's version: JScript, and since 2025 JScript9Legacy (its number: unverified)."""
        return "11.0.26100" if self._machine.spec.release == "2025" else "5.8.23000"

    def _lab(self, text: str, *_: Any) -> None:
        raise LabError(text)

    def _object(self, name: str, *_: Any) -> None:
        if name in self._machine.unregistered:
            raise WinFault(0x800A01AD, name)

    def _progid(self, name: str, *_: Any) -> None:
        raise LabError(f"the COM class {name} is not modelled")

    # registry

    def _reg_read(self, path: str, *_: Any) -> Answer:
        try:
            value = registry_values.read(self._machine.registry, path)
        except WinFault as fault:
            if self._machine.odd == "error-number":
                raise WinFault(0x80070003, fault.text) from fault
            raise
        if isinstance(value.data, bytes) and self._machine.odd == "safe-array":
            return value.data.decode("latin-1")
        if isinstance(value.data, bytes):
            small = list(value.data) if len(value.data) <= _SMALL else None
            return Json.of({"bytes": len(value.data), "content": small})
        if isinstance(value.data, tuple):
            return Json.of(list(value.data))
        return signed(value.data) if isinstance(value.data, int) else value.data

    def _reg_write(self, path: str, value: str | float, kind: str, *_: Any) -> None:
        if self._machine.odd == "registry-number" and value == -1:
            value = 0x7FFFFFFF
        registry_values.write(self._machine.registry, path, value, kind)

    def _reg_delete(self, path: str, *_: Any) -> None:
        registry_values.delete(self._machine.registry, path)

    # WMI

    def _wmi_connect(self, server: str, namespace: str, *_: Any) -> None:
        if server not in {".", "localhost", ""}:
            raise LabError(f"WMI of another machine is not modelled: {server}")
        # The one class of root\default that is modelled, StdRegProv, is in both.
        if namespace.lower().replace("/", "\\") not in {"root\\cimv2", "root\\default"}:
            raise WinFault(codes.WBEM_INVALID_NAMESPACE, namespace)
        self._may_block("ConnectServer")
        if self._machine.not_yet:
            raise WinFault(self._machine.not_yet.pop(0))
        self._machine.services.ensure("Winmgmt")

    def _may_block(self, name: str) -> None:
        """Calls that this server never returns from end with their process."""
        if not any(one in name for one in self._machine.blocking):
            return
        self._machine.never_returned.append(name)
        if self._process.watched is not None:
            self._process.watched.running = True
            raise Ended
        while True:
            self._machine.check_time()
            with self._machine.idle():
                time.sleep(0.01)

    def _wmi_query(self, text: str, *_: Any) -> str:
        self._may_block(text)
        return Json.of([_row(found) for found in self._wmi.query(text)])

    def _wmi_get(self, path: str, *_: Any) -> str:
        found = self._wmi.get(path)
        if isinstance(found, WmiClass):
            return Json.of({"name": found.name, "methods": dict(found.methods.values())})
        return Json.of({"row": _row(found)})

    def _wmi_call(self, name: str, key: str, method: str, given: str, *_: Any) -> str:
        self._may_block(f"{name}.{method}")
        return Json.of(dict(self._wmi.call(name, key, method, json.loads(given))))

    def _wmi_static(self, name: str, method: str, given: str, *_: Any) -> str:
        return Json.of(self._wmi.call_static(name, method, json.loads(given)))

    # HTTP

    def _request(self, method: str, url: str, headers: str, limits: str, *_: Any) -> str:
        if self._machine.odd == "closed-port" and url.startswith("http://127."):
            raise WinFault(codes.HTTP_CONNECTION)
        connect, receive = (float(milliseconds) / 1000 for milliseconds in json.loads(limits))
        asked = Limits(connect_s=connect or 60.0, receive_s=receive or 30.0)
        response = self._http.request(method, url, json.loads(headers), asked)
        return Json.of(
            {
                "status": response.status,
                "reason": response.reason,
                "headers": response.headers,
                "text": response.body.decode("utf-8", "replace"),
            }
        )


def _row(found: Found) -> list[Any]:
    values = {
        name: signed(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in found.values.items()
    }
    return [found.class_name, found.key, values]
