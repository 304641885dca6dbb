"""What is written down before a step is sent is what the agent then reports as ``before``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from lab_world import Place, agent, step

from volact.core.assessment import assess
from volact.core.consent import ASKING_STEPS
from volact.core.context import Context, Policy
from volact.core.facts import read_facts
from volact.core.findings import diagnose
from volact.core.plan import make_plan
from volact.core.steps import BY_NAME
from volact.core.steps.forecast import previous_values
from volact.knowledge.load import knowledge_for
from volact.model.facts import Facts
from volact.model.step import Step, StepResult
from volact_lab.faults import FAULTS
from volact_lab.windows.machine import Machine

ALL = Policy(replace_key=True, consent=frozenset(ASKING_STEPS))
TALKING = [name for name, fault in FAULTS.items() if fault.error is None]
# What only the agent reports: no fact holds it.
AGENT_ONLY = {
    "sync-clock": {"skew_s"},
    "enable-service": {"registry", "delayed"},
    "restore-start-mode": {"delayed"},
    "grant-execute": {"owner"},
}
KMS = ["kms.tencentyun.com:1688", "kms1.tencentyun.com:1688"]


async def facts_of(machine: Machine) -> Facts:
    return read_facts((await agent(machine)).facts, None)


async def compared(machine: Machine, wanted: Step) -> StepResult:
    """Run a step; what was reported of it beforehand has to be what it found.

    The server was asked before: asking alone starts the licensing service.
    """
    said = previous_values(wanted, await facts_of(machine))
    (result,) = (await agent(machine, wanted)).results
    seen = without(wanted.do, result.before)
    assert said == seen or result.before == {}, (wanted, said, result)
    return result


def without(do: str, before: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in before.items() if key not in AGENT_ONLY.get(do, ())}


@pytest.mark.parametrize("fault", TALKING)
async def test_the_before_of_every_planned_step_is_known_beforehand(
    here: Place, fault: str
) -> None:
    releases = FAULTS[fault].releases
    machine = here.machine(fault, release="2016" if "2016" in releases else releases[-1])
    ctx = Context(knowledge=knowledge_for("tencent"), policy=ALL, now=datetime.now(UTC))
    facts = await facts_of(machine)
    plan = make_plan(assess(facts, ctx), diagnose(assess(facts, ctx)))
    ran: list[StepResult] = []
    while len(ran) < len(plan.steps) and all(result.ok for result in ran):
        ran.append(await compared(machine, plan.steps[len(ran)]))
    assert [result.do for result in ran] == [one.do for one in plan.steps[: len(ran)]]
    assert bool(ran) is not bool(plan.reason), "without steps it says why"


SINGLE = [
    ("start-service", {"name": "W32Time"}, ["w32time-stopped"]),
    ("enable-service", {"name": "sppsvc", "start": "delayed-auto"}, ["sppsvc-disabled"]),
    ("grant-execute", {"sid": "S-1-5-20", "deny": ["S-1-5-20"]}, ["execute-denied"]),
    ("remove-debugger", {"debugger": "C:\\Windows\\System32\\systray.exe"}, ["ifeo"]),
    (
        "remove-debugger",
        {"debugger": "C:\\Windows\\nothing.exe", "kms": True},
        ["kms-debugger"],
    ),
    ("add-dns", {"servers": ["183.60.83.19"], "position": "first"}, ["kms-name"]),
    ("add-route", {"destination": "169.254.0.0", "mask": "255.255.0.0", "gateway": "10.0.0.1"}, []),
    ("set-time-trigger", {}, []),
    ("restore-time-limits", {}, ["limits-raised"]),
    ("set-time-source", {"peers": ["time1.tencentyun.com"]}, ["time-source"]),
    ("sync-clock", {"within_s": 60, "raise_limits": True}, ["clock-3d"]),
    ("rearm", {}, []),
    ("install-key", {"keys": {}, "replace": True}, []),
    ("set-kms-host", {"layer": "service", "hosts": KMS}, ["kms-host-wrong"]),
    ("set-kms-host", {"layer": "service", "hosts": KMS}, ["port-1668"]),
    ("clear-kms-host", {"layer": "product"}, ["product-override"]),
    ("clear-kms-host", {"layer": "product"}, []),
    ("activate", {}, []),
    ("rebuild-token-store", {}, ["store-damaged"]),
    (
        "restore-start-mode",
        {"name": "W32Time", "expect": ["Manual"], "start": "disabled", "was": "auto"},
        [],
    ),
    (
        "restore-time-source",
        {"expect": [{"type": "NTP", "peers": "x"}], "type": "NT5DS", "peers": None},
        [],
    ),
    ("restore-time-trigger", {"expect": ["3/1 3/2"], "triggers": None}, []),
    ("restore-kms-host", {"layer": "service", "expect": KMS, "host": None, "port": None}, []),
    ("restore-acl", {"expect": ["D:"], "sddl": "D:P"}, []),
    ("restore-debugger", {"debugger": "x.exe"}, []),
    ("restore-debugger", {"debugger": "x.exe", "kms": True}, ["kms-debugger"]),
    ("restore-dns", {"adapter": "7", "expect": [["10.9.9.9"]], "servers": ["10.0.0.2"]}, []),
    (
        "remove-route",
        {"destination": "169.254.0.0", "mask": "255.255.128.0", "gateway": "10.0.0.1"},
        [],
    ),
]


def test_every_kind_of_step_is_among_them() -> None:
    """But that which alone finds nothing to do: test_lab_put_back has it, with what it follows."""
    alone = set(BY_NAME) - {"put-back-kms-host"}
    assert {do for do, *_ in SINGLE} == alone, "each step needs a line in SINGLE"


@pytest.mark.parametrize(("do", "params", "faults"), SINGLE)
async def test_the_before_of_each_kind_is_what_the_agent_finds(
    here: Place, do: str, params: dict[str, Any], faults: list[str]
) -> None:
    machine = here.machine(*faults, release="2008 R2")
    await facts_of(machine)
    result = await compared(machine, step(do, **params))
    assert result.before


async def test_a_host_without_a_port_and_a_port_without_a_host_are_told_apart(here: Place) -> None:
    machine = here.machine()
    machine.licensing.set_machine("KMS.Corp.Example.")
    machine.licensing.clear("KeyManagementServicePort")
    await facts_of(machine)
    set_it = step("set-kms-host", layer="service", hosts=KMS)
    result = await compared(machine, set_it)
    assert result.before == {"host": "kms.corp.example:1688", "name": "KMS.Corp.Example.",
                             "port": None}  # fmt: skip
    machine.licensing.clear("KeyManagementServiceName")
    result = await compared(machine, set_it)
    assert result.before == {"host": None, "port": 1688}


async def test_what_cannot_be_read_says_so_and_what_was_not_asked_is_left_out() -> None:
    nothing = Facts()
    assert previous_values(step("set-time-source", peers=["a"]), nothing) == {}
    denied = read_facts({"time": {"type": {"!": 0x80070005}, "peers": None}}, None)
    assert previous_values(step("set-time-source", peers=["a"]), denied) == {
        "type": {"!": 0x80070005},
        "peers": None,
    }
