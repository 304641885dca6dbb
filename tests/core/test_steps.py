"""The declarations of steps: whole, known to the agent and the protocol, and true to their promise.

What a step promises is written down here by hand, as answers of a server before
and after it; neither the planner nor any finding takes part in it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from servers import (
    DENIED_SDDL,
    HEALTHY_SDDL,
    KMS,
    KMS1,
    OTHER_KMS,
    PRODUCT_ID,
    TIMEOUT,
    UNRESOLVED,
    context,
    facts_of,
    product,
    server,
)

from volact.core.standalone import standalone_steps
from volact.core.steps import BY_NAME, KINDS
from volact.core.steps.forecast import promised
from volact.core.steps.kind import StepKind, undo_kind
from volact.core.steps.params import Guard, StepDraft
from volact.core.steps.rearm import REARM
from volact.core.steps.wire import from_wire, to_wire
from volact.knowledge.load import knowledge_for, profile_names
from volact.model.fact import value_of
from volact.model.step import Step

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "volact" / "agent" / "source"

ANSWERS = 0x80072EFE  # a KMS host, to an HTTP try
GVLK = "CB7KF-BWN84-R7R2Y-793K2-8XDDG"
STORE = {"path": "C:\\store", "tokens": 9, "spare": False, "free_mb": 900, "sddl": "D:"}
ROUTE = {"destination": "169.254.0.0", "mask": "255.255.128.0", "gateway": "10.0.0.1"}
ROUTES = [["0.0.0.0", "0.0.0.0", "10.0.0.1"]]
BOTH = {f"{KMS}:1688": ANSWERS, f"{KMS1}:1688": ANSWERS}


def unreached(code: int) -> dict[str, int]:
    return dict.fromkeys(BOTH, code)


class Promise(msgspec.Struct, frozen=True):
    """A step, and what it changes in the answers of a server."""

    do: str
    params: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]


def of_product(**changes: Any) -> list[dict[str, Any]]:
    return [product(**{"kms": KMS1, **changes})]


PROMISES = [
    Promise(
        "enable-service",
        {"name": "sppsvc", "start": "delayed-auto"},
        {"services__sppsvc": ["Stopped", "Disabled"]},
        {"services__sppsvc": ["Stopped", "Auto"]},
    ),
    Promise(
        "start-service",
        {"name": "W32Time"},
        {"services__W32Time": ["Stopped", "Manual"]},
        {"services__W32Time": ["Running", "Manual"]},
    ),
    Promise(
        "sync-clock",
        {"within_s": 60, "raise_limits": False},
        {"skew_s": 18_000},
        {"skew_s": 0},
    ),
    Promise(
        "restore-time-limits",
        {},
        {"time__saved": "54000 -", "time__pos": 2**32 - 1, "time__neg": 2**32 - 1},
        {"time__saved": None, "time__pos": 54_000, "time__neg": None},
    ),
    Promise(
        "set-time-source",
        {"peers": ["ntp.one", "ntp.two"]},
        {"time__type": "NT5DS", "time__peers": None},
        {"time__type": "NTP", "time__peers": "ntp.one,0x8 ntp.two,0x8"},
    ),
    Promise("set-time-trigger", {}, {"time__triggers": "3/1 3/2"}, {"time__triggers": "2/1 2/2"}),
    Promise(
        "set-kms-host",
        {"layer": "service", "hosts": [f"{KMS1}:1688", f"{KMS}:1688"]},
        {
            "kms": OTHER_KMS,
            "reach": {f"{KMS1}:1688": TIMEOUT, f"{KMS}:1688": ANSWERS},
        },
        {"kms": KMS, "products": of_product(kms=KMS)},
    ),
    Promise(
        "clear-kms-host",
        {"layer": "product", "product": PRODUCT_ID},
        {"products": of_product(kms=OTHER_KMS)},
        {"products": of_product()},
    ),
    Promise(
        "grant-execute",
        {"sid": "S-1-5-20", "deny": ["S-1-5-20"]},
        {"binary__sddl": DENIED_SDDL},
        {"binary__sddl": HEALTHY_SDDL.replace("D:PAI", "D:PAI(A;;0x1200a9;;;S-1-5-20)")},
    ),
    Promise(
        "remove-debugger",
        {"debugger": "x.exe"},
        {"binary__debugger": "x.exe"},
        {"binary__debugger": None},
    ),
    Promise(
        "remove-debugger",
        {"debugger": "x.exe", "kms": True},
        {"binary__debugger": "y.exe", "binary__kms_debugger": "x.exe"},
        {"binary__kms_debugger": None},
    ),
    Promise(
        "add-dns",
        {"servers": ["10.9.9.9", "10.8.8.8"], "position": "first"},
        {
            "dns": ["10.0.0.2", "10.8.8.8"],
            "adapters": {"7": [["10.0.0.2"], True, False]},
            "reach": unreached(UNRESOLVED),
        },
        {
            "dns": ["10.9.9.9", "10.8.8.8", "10.0.0.2"],
            "adapters": {"7": [["10.9.9.9", "10.8.8.8", "10.0.0.2"], True, True]},
            "reach": BOTH,
        },
    ),
    Promise(
        "add-dns",
        {"servers": ["10.9.9.9"], "position": "last"},
        {"dns": ["10.0.0.2"], "adapters": {}, "reach": unreached(UNRESOLVED)},
        {"dns": ["10.0.0.2", "10.9.9.9"]},
    ),
    Promise(
        "add-route",
        ROUTE,
        {"routes": ROUTES, "reach": unreached(TIMEOUT)},
        {"routes": [*ROUTES, [*ROUTE.values()]], "reach": BOTH},
    ),
    Promise(
        "activate",
        {},
        {"products": of_product(licensed=False)},
        {"products": of_product(GracePeriodRemaining=259_200)},
    ),
    Promise(
        "rebuild-token-store",
        {},
        {"store": STORE},
        {"store": {**STORE, "spare": True}, "products": [], "restart": "rebuild-token-store"},
    ),
    Promise("rearm", {}, {}, {"restart": "rearm"}),
    Promise(
        "restore-start-mode",
        {"name": "W32Time", "expect": ["Auto"], "start": "disabled", "was": "auto"},
        {},
        {"services__W32Time": ["Running", "Disabled"]},
    ),
    Promise(
        "restore-time-source",
        {"expect": [{"type": "NTP", "peers": "x"}], "type": "NT5DS", "peers": None},
        {},
        {"time__type": "NT5DS", "time__peers": None},
    ),
    Promise(
        "restore-time-trigger",
        {"expect": ["3/1 3/2"], "triggers": None},
        {},
        {"time__triggers": None},
    ),
    Promise(
        "restore-kms-host",
        {
            "layer": "service",
            "expect": [f"{KMS1}:1688"],
            "host": "kms.corp:1690",
            "name": "KMS.Corp",
            "port": 1690,
        },
        {},
        {"kms": "KMS.Corp", "port": 1690},
    ),
    Promise(
        "restore-acl",
        {"expect": [HEALTHY_SDDL], "sddl": DENIED_SDDL},
        {},
        {"binary__sddl": DENIED_SDDL},
    ),
    Promise(
        "put-back-kms-host",
        {"layer": "service", "if_failed": ["activate"]},
        {},
        {},  # it runs only where the activation has failed, which no plan promises
    ),
    Promise("restore-debugger", {"debugger": "x.exe"}, {}, {"binary__debugger": "x.exe"}),
    Promise(
        "restore-debugger",
        {"debugger": "x.exe", "kms": True},
        {},
        {"binary__kms_debugger": "x.exe"},
    ),
    Promise(
        "restore-dns",
        {"adapter": "7", "expect": [["10.9.9.9"]], "servers": ["10.0.0.2"]},
        {"adapters": {"7": [["10.9.9.9"], True, False]}},
        {"adapters": {"7": [["10.0.0.2"], True, True]}},
    ),
    Promise(
        "remove-route",
        ROUTE,
        {"routes": [*ROUTES, [*ROUTE.values()]]},
        {"routes": ROUTES},
    ),
]


@pytest.mark.parametrize("case", PROMISES, ids=lambda case: case.do)
def test_a_promise_is_what_the_server_will_answer(case: Promise) -> None:
    facts = facts_of(server(**case.before))
    then = promised(facts, (Step(do=case.do, params=case.params),), context())
    assert then == facts_of(server(**{**case.before, **case.after}))


def test_an_installed_key_is_a_product_that_waits_for_its_activation() -> None:
    facts = facts_of(server(products=[product(partial="AAAAA"), product(LicenseIsAddon=True)]))
    step = Step(do="install-key", params={"keys": {"14393/8": GVLK}, "replace": True})
    windows, addon = value_of(promised(facts, (step,), context()).products) or ()
    assert value_of(windows.partial_key) == "8XDDG"
    assert value_of(windows.status) == 2
    assert value_of(windows.kms_machine) == KMS1
    assert value_of(addon.addon) is True
    other = Step(do="install-key", params={"keys": {"17763/8": GVLK}, "replace": True})
    assert promised(facts, (other,), context()) == facts


def test_what_changes_a_server_is_undone_or_said_to_stay() -> None:
    """An undo would say nothing of it otherwise, although docs/undo.md promises that it does."""
    changing = {case.do for case in PROMISES if case.before != case.after} | {"install-key"}
    silent = {do for do in changing if not (BY_NAME[do].changes or BY_NAME[do].stays)}
    assert not silent, "each declares `changes`, or in `stays` why an undo leaves it"


def test_every_step_has_its_promise_here() -> None:
    assert {case.do for case in PROMISES} | {"install-key"} == set(BY_NAME), "PROMISES"


@pytest.mark.parametrize("part", StepKind.__struct_fields__)
def test_no_part_of_a_step_can_be_left_out(part: str) -> None:
    every = {name: getattr(REARM, name) for name in StepKind.__struct_fields__}
    assert StepKind(**every).name == "rearm"
    del every[part]
    with pytest.raises(TypeError, match=part):
        StepKind(**every)
    with pytest.raises(TypeError):
        undo_kind(name="restore-nothing", params=REARM.params)  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_agent_and_its_protocol_know_every_step(kind: StepKind[Any]) -> None:
    parts = ("steps", *kind.agent_parts)
    script = "".join((SOURCE / f"{part}.js").read_text("ascii") for part in parts)
    assert f'STEPS["{kind.name}"] = ' in script or f"STEPS.{kind.name} = " in script
    page = (ROOT / "docs" / "agent-protocol.md").read_text("utf-8")
    row = re.search(rf"^\| `{kind.name}` \|.*\|.*\|$", page, re.MULTILINE)
    assert row is not None, f"docs/agent-protocol.md has no row for {kind.name}"
    fields = {field.encode_name for field in msgspec.structs.fields(kind.params)}
    assert fields <= set(re.findall(r"`(\w+)`", row[0])), row[0]


@pytest.mark.parametrize("case", PROMISES, ids=lambda case: case.do)
def test_the_wire_form_is_read_as_it_was_written(case: Promise) -> None:
    step = Step(do=case.do, because=("x",), params=case.params)
    assert to_wire(from_wire(step)) == step


def test_a_guard_stands_behind_the_parameters() -> None:
    guard = Guard(builds=(7000, 7999), optional=True)
    params = from_wire(Step(do="start-service", params={"name": "sppuinotify"})).params
    step = to_wire(StepDraft(params=params, guard=guard))
    assert [*step.params.items()] == [
        ("name", "sppuinotify"),
        ("builds", [7000, 7999]),
        ("optional", True),
    ]
    assert from_wire(step).guard == guard


# What a script does without a run of volact; every other kind is for servers that are examined.
_HANDED_OUT = {"enable-service", "start-service", "grant-execute", "set-time-source", "sync-clock"}
_HANDED_OUT |= {"install-key", "set-kms-host", "clear-kms-host", "put-back-kms-host", "activate"}


@pytest.mark.parametrize("provider", profile_names())
def test_the_handed_out_script_has_only_its_own_steps_and_none_that_needs_consent(
    provider: str,
) -> None:
    steps = standalone_steps(knowledge_for(provider))
    assert not any(BY_NAME[step.do].needs_consent for step in steps)
    assert {step.do for step in steps} <= _HANDED_OUT
