"""Calls to Windows that never return: the agent ends them, and answers all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab_world import Place, agent, step

from volact.fleet import Control, run_fleet
from volact.inventory import Secrets, load_inventory
from volact.model.report import ServerReport
from volact.pipeline import Job
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact_lab.hosts.manners import MANNERS
from volact_lab.lab import Lab
from volact_lab.windows.machine import Machine
from volact_lab.windows.spec import Spec

BLOCKED = {"!": 0x8001011F}
TRANSPORTS = ("ssh", "winrm", "tat")


def nothing_left(machine: Machine) -> bool:
    """No process of the agent runs, and no file of it is there."""
    names = [node.name for node in machine.files.children("C:\\Windows")]
    return machine.blocked == 0 and not any(name.startswith(("agent-", "volact")) for name in names)


@pytest.mark.parametrize(
    ("call", "blocked"),
    [
        ("FROM SoftwareLicensingService", ["licensing"]),
        ("FROM SoftwareLicensingProduct", ["products"]),
        ("FROM SoftwareLicensing", ["licensing", "products"]),
        ("FROM Win32_Service", ["services"]),
        ("ConnectServer", ["checks", "need"]),
    ],
)
async def test_a_probe_answers_all_but_what_blocks(
    here: Place, call: str, blocked: list[str]
) -> None:
    healthy = (await agent(here.machine())).facts
    machine = here.machine()
    machine.blocking = (call,)
    facts = (await agent(machine)).facts
    assert facts["blocked"] == blocked
    for name in set(blocked) - {"need"}:
        assert facts[name] == BLOCKED
    assert set(healthy) <= set(facts)
    for name in ("registry", "policy_len", "metadata", "elevated", "wsh"):
        assert facts[name] == healthy[name], name
    if call != "ConnectServer":
        unread = {name for name in facts if isinstance(facts[name], dict) and "!" in facts[name]}
        assert unread <= {*blocked, "resolved"}, unread
    assert nothing_left(machine)
    assert here.errors == []


async def test_a_healthy_server_has_a_watchdog_and_nothing_blocked(here: Place) -> None:
    assert (await agent(here.machine())).facts["blocked"] == []


async def test_without_a_second_process_the_agent_asks_itself_and_says_so(here: Place) -> None:
    machine = here.machine()
    watched = (await agent(machine)).facts
    machine.odd = "exec-denied"
    alone = (await agent(machine)).facts
    assert alone["blocked"] == {"!": 0x80070005}
    assert set(alone) == set(watched)
    done = await agent(machine, step("start-service", name="sppsvc"))
    assert done.results[0].ok


async def test_a_step_that_blocks_is_not_known_and_the_rest_does_not_run(here: Place) -> None:
    machine = here.machine("activation-blocked")
    answer = await agent(
        machine,
        step("start-service", name="sppsvc"),
        step("activate"),
        step("start-service", name="W32Time"),
    )
    started, activated, later = answer.results
    assert started.ok
    assert (activated.ok, activated.hresult) == (False, 0x8001011F)
    assert activated.note == "not known: a call to Windows never returned"
    assert (later.ok, later.note) == (False, "skipped: an earlier call never returned")
    assert answer.facts["blocked"] == ["activate"]
    assert answer.facts["products"][0]["LicenseStatus"] == 5
    assert machine.never_returned == ["SoftwareLicensingProduct.Activate"], "begun once"
    assert nothing_left(machine)


class Tidied(list[str]):
    """Calls that never return; with the first one the files of the agent are removed."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self._files = machine.files

    def append(self, call: str) -> None:
        super().append(call)
        for folder in self._files.children("C:\\Windows"):
            if folder.name.startswith("agent-"):
                for node in tuple(self._files.children(folder.path)):
                    if not node.name.endswith(".err"):  # cmd.exe has it open
                        self._files.delete(node.path)


async def test_no_step_is_begun_again_when_the_files_are_gone(here: Place) -> None:
    """As when a transport gives up and tidies: what the worker had begun is noted nowhere."""
    machine = here.machine("activation-blocked")
    machine.never_returned = Tidied(machine)
    steps = (step("start-service", name="sppsvc"), step("activate"))
    results = (await agent(machine, *steps)).results
    assert {result.note for result in results} == {"skipped: an earlier call never returned"}
    assert machine.never_returned == ["SoftwareLicensingProduct.Activate"], "begun once"
    assert nothing_left(machine)


async def test_what_was_on_trial_is_put_back_when_the_activation_blocks(here: Place) -> None:
    """The one step that a later worker may begin ends a trial of the same execution."""
    forms = (("kms-manner", MANNERS.index("http")), ("refused-after", 0))
    machine = here.machine("activation-blocked", release="2019", forms=forms)
    machine.licensing.set_machine("KMS.Corp.Example")
    answer = await agent(
        machine,
        step("set-kms-host", layer="service", hosts=["kms.tencentyun.com:1688"], unproven=True),
        step("activate", unless_failed=["set-kms-host"]),
        step("put-back-kms-host", layer="service", if_failed=["activate"]),
    )
    set_host, activated, put_back = answer.results
    assert (set_host.changed, activated.ok, put_back.changed) == (True, False, True)
    assert machine.licensing.machine() == "KMS.Corp.Example"
    assert nothing_left(machine)


def spec(number: int, fault: str, transport: str, form: int = 0) -> Spec:
    return Spec(
        f"web-{number:02d}",
        index=number,
        seed=3,
        release=("2008 R2", "2012 R2", "2022", "2025")[number % 4],
        language=("en", "zh", "de", "ja")[number % 4],
        faults=(fault,),
        transport=transport,
        forms=((fault, form), ("kms-manner", 0)),
    )


async def reports(lab: Lab, path: Path, mode: str) -> dict[str, ServerReport]:
    lab.write_inventory(path)
    inventory = load_inventory(path)
    job = Job(mode=mode, images=inventory.images)  # type: ignore[arg-type]
    stream = run_fleet(
        inventory.servers,
        make_opener(Secrets(), SshOptions(connect_s=300)),
        job,
        Control(concurrency=8),
    )
    return {report.name: report async for report in stream}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_blocked_call_is_named_over_every_transport(transport: str, tmp_path: Path) -> None:
    specs = (
        *(spec(form, "call-blocked", transport, form) for form in range(3)),
        spec(3, "activation-blocked", transport),
    )
    async with Lab("healthy", specs, 3, patience=0.0) as lab:
        found = await reports(lab, tmp_path / "lab.toml", "activate")
        for name, row in found.items():
            machine = lab.machine(name)
            truth = lab.truth[name]
            assert row.error is None, row
            assert row.verdict == truth.verdict, row
            assert "call-blocked" in {finding.id for finding in row.findings}, row
            assert nothing_left(machine)
        done = found["web-03"]
        assert done.executions == 2, "the steps' answer came, so nothing was asked again"
        assert lab.machine("web-03").never_returned == ["SoftwareLicensingProduct.Activate"]
        assert lab.errors == []
