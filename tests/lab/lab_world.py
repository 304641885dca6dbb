"""Single simulated servers for tests, in real surroundings."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from volact.agent.answer import Answer, read_answer
from volact.agent.render import render
from volact.agent.request import AgentMode, new_request
from volact.core.standalone import standalone_steps
from volact.knowledge.load import knowledge_for, load_editions, load_profile
from volact.model.step import Step
from volact_lab.errors import LabError
from volact_lab.faults import FAULTS
from volact_lab.session import Result, execute
from volact_lab.surroundings import Surroundings
from volact_lab.windows.machine import Machine
from volact_lab.windows.setup import license_with, new_machine
from volact_lab.windows.spec import Spec, World

# The manners that the seed would draw are given: a test has others by forms=.
FORMS = (
    ("kms-manner", 0),
    ("refused-after", 0),
    ("no-port", 0),
    ("own-hop", 0),
    ("service-port", 0),
    ("kms-events", 0),
)
SPEC = Spec("web-01", index=1, seed=1, release="2016", language="en", forms=FORMS)
# They stay for all tests: each has script engines that know the agent.
_THREADS = ThreadPoolExecutor(16)


@dataclass
class Place:
    """The surroundings of a test, and the servers in it."""

    surroundings: Surroundings
    world: World
    machines: dict[str, Machine]
    errors: list[LabError]

    def machine(self, *faults: str, **changes: Any) -> Machine:
        """A server with faults, built at once."""
        spec = replace(SPEC, faults=faults, **changes)
        machine = new_machine(spec, self.world)
        machine.on_report = lambda _name, error: self.errors.append(error)
        for name in faults:
            FAULTS[name].apply(machine)
        self.machines[spec.name] = machine
        return machine


async def place() -> Place:
    """Start surroundings; stop them with ``place.surroundings.stop()``."""
    machines: dict[str, Machine] = {}
    surroundings = Surroundings(load_profile("tencent"), load_editions(), patience=0.0)

    def metadata(name: str) -> dict[str, str] | None:
        machine = machines.get(name)
        return machine.metadata if machine else None

    world = await surroundings.start(metadata)
    return Place(surroundings, world, machines, [])


async def command(machine: Machine, line: str, limit_s: float = 600) -> Result:
    """Run a command line on a server."""
    work = partial(execute, machine, line, limit_s=limit_s)
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work)


async def batch(machine: Machine, text: str, *args: str) -> Result:
    """Run a batch file on a server."""
    path = f"{machine.temp}\\test.bat"
    machine.files.write(path, text.replace("\n", "\r\n").encode(machine.language.oem))
    # With more than two quotes cmd.exe takes the outer pair away.
    return await command(machine, f'cmd.exe /c ""{path}" {" ".join(args)}"')


async def script(machine: Machine, text: str) -> Result:
    """Run a script on a server with cscript."""
    path = f"{machine.temp}\\test.js"
    machine.files.write(path, text.encode("ascii"))
    return await command(machine, f'cscript.exe //nologo //E:JScript "{path}"')


async def printed(machine: Machine, expression: str) -> str:
    """What a script prints for an expression; its error number when it throws."""
    code = "try { WScript.Echo(%s); } catch (e) { WScript.Echo('!' + (e.number >>> 0)); }"
    result = await script(machine, code % expression)
    return result.stdout.decode(machine.language.oem).rstrip("\r\n")


def failure(code: int) -> str:
    """What ``printed`` holds for a failure with this HRESULT."""
    return f"!{code}"


async def agent(machine: Machine, *steps: Step) -> Answer:
    """Run the real agent on a server: a probe, or an apply with steps."""
    mode: AgentMode = "apply" if steps else "probe"
    request = new_request(mode, machine.world.profile, steps, id="00112233445566aa")
    path = f"{machine.temp}\\agent.bat"
    machine.files.write(path, render(request))
    result = await command(machine, f'cmd.exe /c "{path}"')
    return read_answer(result.stdout, request.id)


async def handed_out(machine: Machine, change: tuple[bytes, bytes] = (b"", b"")) -> Result:
    """Run the file that an operator is given, as it is or with one thing changed."""
    knowledge = knowledge_for("tencent")
    request = new_request("standalone", knowledge.profile, standalone_steps(knowledge), id="0" * 16)
    path = f"{machine.home}\\activate-win.bat"
    data = render(request, keep=True, handed=True)
    assert change[0] in data
    machine.files.write(path, data.replace(*change) if change[0] else data)
    return await command(machine, f'cmd.exe /c "{path}"')


def licensed_by(here: Place, host: str, *faults: str, **changes: Any) -> Machine:
    """A server that a KMS host licensed, which is set as its host."""
    machine = here.machine(*faults, **changes)
    license_with(machine, host, 1688)
    return machine


def deny_reading(machine: Machine, part: str, *, end: bool = False) -> None:
    """Let no account read the registry keys with this in (or at the end of) their path."""
    before = machine.registry.denied
    machine.registry.denied = lambda path, write: (
        (not write and (path.endswith(part) if end else part in path)) or before(path, write)
    )


def step(do: str, **params: Any) -> Step:
    """A step of a plan."""
    return Step(do=do, params=params)
