"""What is planned for each kind of broken server, and what is refused and why."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from servers import (
    DENIED_SDDL,
    KMS,
    KMS1,
    OTHER_KMS,
    PRODUCT_ID,
    REFUSED,
    TIMEOUT,
    UNRESOLVED,
    context,
    facts_of,
    product,
    server,
    unreadable,
)

from volact.core import shell
from volact.core.assessment import assess
from volact.core.context import Context
from volact.core.findings import diagnose
from volact.core.plan import make_plan
from volact.core.steps.forecast import console_commands
from volact.model.profile import Image
from volact.model.step import Plan, Step

HOUR, DAY = 3600, 86_400
# What an interrupted run left behind: raised limits, and their record.
RAISED: dict[str, Any] = {
    "time__saved": "54000 54001",
    "time__pos": 2**32 - 1,
    "time__neg": 2**32 - 1,
}
SLMGR = "cscript /nologo %windir%/system32/slmgr.vbs"
SILENT: dict[str, Any] = {"products": unreadable(), "licensing": unreadable()}
IMPORTED = {"img-x": Image(source="EXTERNAL_IMPORT")}


def reach(code: int) -> dict[str, int]:
    return dict.fromkeys((f"{KMS}:1688", f"{KMS1}:1688"), code)


def plan_of(raw: dict[str, Any], ctx: Context | None = None) -> Plan:
    ctx = ctx or context()
    facts = facts_of(raw)
    return make_plan(assess(facts, ctx), diagnose(assess(facts, ctx)))


class Example(NamedTuple):
    """A server and the kinds of steps planned for it, in order."""

    name: str
    raw: dict[str, Any]
    steps: str
    ctx: Context | None = None


DEFAULT_ROUTE = [["0.0.0.0", "0.0.0.0", "10.0.0.1"]]
BROKEN = [product(licensed=False, kms=KMS1, LicenseStatusReason=0xC004E015)]
DAMAGED_MAK = product(
    licensed=False, channel="VOLUME_MAK", partial="3V66T", ID="mak", LicenseStatusReason=0xC004E015
)
STORE_FAILED = ["2026-01-31T07:00:00Z", ["hr=0x8004E103"]]
STORE = {"path": "C:\\store", "tokens": 4096, "spare": False, "free_mb": 9000, "sddl": "D:"}


def agreed(*steps: str) -> Context:
    """What judging gets with consent to these kinds of steps."""
    return context(consent=frozenset(steps))


RETAIL = [product("2019", licensed=False, channel="RETAIL", partial="3V66T")]
KMS_DEBUGGED = server(licensed=False, binary__kms_debugger="x.exe")

EXAMPLES = [
    Example("licensed", server(), ""),
    Example("never activated", server(licensed=False), "activate"),
    Example("host not set", server("2012", licensed=False, kms=None), "set-kms-host activate"),
    Example("foreign host", server(licensed=False, kms=OTHER_KMS), "set-kms-host activate"),
    Example(
        "an accepted host in capitals",
        server("2019", licensed=False, kms="KMS.TencentYun.COM."),
        "activate",
    ),
    Example("licensed elsewhere", server(kms=OTHER_KMS), "set-kms-host activate"),
    Example("port 1668", server("2019", licensed=False, port=1668), "set-kms-host activate"),
    Example(
        "product override",
        server("2019", products=[product("2019", licensed=False, kms=OTHER_KMS)]),
        "clear-kms-host activate",
    ),
    Example(
        "product override, server wrong too",
        server(
            "2019",
            kms="kms.third.example",
            products=[product("2019", licensed=False, kms=OTHER_KMS)],
        ),
        "set-kms-host clear-kms-host activate",
    ),
    Example("policy override", server(licensed=False, registry__policy_machine=OTHER_KMS), ""),
    Example("name", server(licensed=False, reach=reach(UNRESOLVED)), ""),
    Example("refused", server(licensed=False, reach=reach(REFUSED)), ""),
    Example("silent", server(licensed=False, reach=reach(TIMEOUT)), "activate"),
    Example(
        "foreign host and none in reach",
        server(licensed=False, kms=OTHER_KMS, reach=reach(TIMEOUT)),
        "set-kms-host activate put-back-kms-host",
    ),
    Example(
        "foreign host and all refuse",
        server(licensed=False, kms=OTHER_KMS, reach=reach(REFUSED)),
        "",
    ),
    Example(
        "licensed by a foreign host and none in reach",
        server(kms=OTHER_KMS, reach=reach(TIMEOUT)),
        "",
    ),
    Example(
        "the preferred host is down",
        server("2016", licensed=False, reach={f"{KMS1}:1688": TIMEOUT, f"{KMS}:1688": 0}),
        "set-kms-host activate",
    ),
    Example(
        "the preferred host is down, licensed",
        server("2016", reach={f"{KMS1}:1688": TIMEOUT, f"{KMS}:1688": 0}),
        "",
    ),
    Example(
        "clock 5 h",
        server(licensed=False, skew_s=5 * HOUR),
        "set-time-source sync-clock activate",
    ),
    Example(
        "clock 5 h, the provider's time source",
        server(licensed=False, skew_s=5 * HOUR, time__peers="ntpupdate.tencentyun.com,0x8"),
        "sync-clock activate",
    ),
    Example("clock 5 h, licensed", server(skew_s=5 * HOUR), "set-time-source sync-clock"),
    Example("clock 10 min, licensed", server(skew_s=600), ""),
    Example(
        "clock 10 min, not licensed",
        server(licensed=False, skew_s=600),
        "set-time-source sync-clock activate",
    ),
    Example(
        "W32Time disabled, clock off",
        server(licensed=False, skew_s=5 * HOUR, services__W32Time=["Stopped", "Disabled"]),
        "enable-service set-time-trigger start-service set-time-source sync-clock activate",
    ),
    Example("W32Time disabled, licensed", server(services__W32Time=["Stopped", "Disabled"]), ""),
    Example(
        "W32Time stopped, clock off",
        server(licensed=False, skew_s=5 * HOUR, services__W32Time=["Stopped", "Manual"]),
        "set-time-trigger start-service set-time-source sync-clock activate",
    ),
    Example(
        "W32Time stopped, starts with the network",
        server(
            licensed=False,
            skew_s=5 * HOUR,
            services__W32Time=["Stopped", "Manual"],
            time__triggers="2/1 2/2",
        ),
        "start-service set-time-source sync-clock activate",
    ),
    Example(
        "limits left raised",
        server(licensed=False, skew_s=3 * DAY, **RAISED),
        "restore-time-limits set-time-source sync-clock activate",
    ),
    Example("limits left raised, licensed", server(time__saved="54000 -"), ""),
    Example(
        "W32Time missing, clock off",
        server(licensed=False, skew_s=5 * HOUR, services__W32Time=None),
        "",
    ),
    Example("domain member", server(licensed=False, skew_s=5 * HOUR, role=3), ""),
    Example("domain member, 3.8 h", server(licensed=False, skew_s=3.8 * HOUR, role=3), "activate"),
    Example("domain controller", server(licensed=False, skew_s=5 * HOUR, role=5), ""),
    Example("domain member, clock right", server(licensed=False, role=3), "activate"),
    Example(
        "time by policy",
        server(licensed=False, skew_s=5 * HOUR, time__policy_type="NTP"),
        "sync-clock activate",
    ),
    Example(
        "sppsvc disabled",
        server(services__sppsvc=["Stopped", "Disabled"], **SILENT),
        "enable-service start-service activate",
    ),
    Example(
        "sppsvc disabled and still running, licensed",
        server(services__sppsvc=["Running", "Disabled"]),
        "enable-service",
    ),
    Example("sppsvc stopped and silent", server(**SILENT), "start-service"),
    Example("silent", server(services__sppsvc=["Running", "Auto"], **SILENT), ""),
    Example(
        "sppuinotify",
        server("2008 R2", licensed=False, services__sppuinotify=["Stopped", "Manual"]),
        "start-service activate",
    ),
    Example(
        "SLUINotify disabled",
        server("2008", licensed=False, services__SLUINotify=["Stopped", "Disabled"]),
        "enable-service start-service activate",
    ),
    Example(
        "execution denied",
        server(binary__sddl=DENIED_SDDL, **SILENT),
        "grant-execute start-service activate",
    ),
    Example(
        "execution denied while it runs",
        server(binary__sddl=DENIED_SDDL, services__sppsvc=["Running", "Auto"]),
        "grant-execute",
    ),
    Example("debugger", server(binary__debugger="x.exe", **SILENT), ""),
    Example(
        "debugger, agreed",
        server(binary__debugger="x.exe", **SILENT),
        "remove-debugger start-service activate",
        agreed("remove-debugger"),
    ),
    Example(
        "debugger and execution denied, agreed",
        server(binary__debugger="x.exe", binary__sddl=DENIED_SDDL, **SILENT),
        "remove-debugger grant-execute start-service activate",
        agreed("remove-debugger"),
    ),
    Example("debugger of the program that speaks KMS", KMS_DEBUGGED, ""),
    Example(
        "debuggers of both programs, agreed",
        server(binary__debugger="x.exe", binary__kms_debugger="y.exe", **SILENT),
        "remove-debugger remove-debugger start-service activate",
        agreed("remove-debugger"),
    ),
    Example(
        "debugger of the program that speaks KMS, agreed",
        KMS_DEBUGGED,
        "remove-debugger activate",
        agreed("remove-debugger"),
    ),
    Example(
        "a library in the program that speaks KMS, everything agreed",
        server(licensed=False, binary__kms_verifier="x.dll", binary__kms_debugger="y.exe"),
        "",
        agreed("remove-debugger", "move-kms"),
    ),
    Example(
        "a debugger that is known to forge answers, everything agreed",
        server(licensed=False, binary__kms_debugger='"C:\\x\\secoh-qad.exe"'),
        "",
        agreed("remove-debugger", "move-kms"),
    ),
    Example(
        "whether a library is loaded cannot be read",
        server(licensed=False, binary__kms_verifier={"!": 0x80070005}),
        "",
    ),
    Example("debugger, another step agreed", server(binary__debugger="x"), "", agreed("rearm")),
    Example(
        "foreign name servers, agreed",
        server(licensed=False, dns=["8.8.8.8"], reach=reach(UNRESOLVED)),
        "add-dns activate",
        agreed("add-dns"),
    ),
    Example(
        "foreign name servers and a foreign host, agreed",
        server(licensed=False, kms=OTHER_KMS, dns=["8.8.8.8"], reach=reach(UNRESOLVED)),
        "add-dns set-kms-host activate",
        agreed("add-dns"),
    ),
    Example(
        "foreign name servers on a member, agreed",
        server(licensed=False, role=3, dns=["10.0.0.2"], reach=reach(UNRESOLVED)),
        "",
        agreed("add-dns"),
    ),
    Example(
        "foreign name servers on a controller, agreed",
        server(licensed=False, role=5, dns=["10.0.0.2"], reach=reach(UNRESOLVED)),
        "",
        agreed("add-dns"),
    ),
    Example(
        "foreign name servers and a silent host, agreed",
        server(licensed=False, dns=["8.8.8.8"], reach=reach(TIMEOUT)),
        "activate",
        agreed("add-dns"),
    ),
    Example(
        "no route, agreed",
        server(licensed=False, routes=DEFAULT_ROUTE, reach=reach(TIMEOUT)),
        "add-route activate",
        agreed("add-route"),
    ),
    Example(
        "no route and refused, agreed",
        server(licensed=False, routes=DEFAULT_ROUTE, reach=reach(REFUSED)),
        "",
        agreed("add-route"),
    ),
    Example(
        "no route at all, agreed",
        server(licensed=False, routes=[], reach=reach(TIMEOUT)),
        "activate",
        agreed("add-route"),
    ),
    Example("no route, licensed", server(routes=DEFAULT_ROUTE), "", agreed("add-route")),
    Example("store damaged", server(products=BROKEN, store=STORE), "activate"),
    Example(
        "store damaged, agreed",
        server(products=BROKEN, store=STORE),
        "rebuild-token-store",
        agreed("rebuild-token-store"),
    ),
    Example(
        "store damaged and the clock off, agreed",
        server(products=BROKEN, store=STORE, skew_s=5 * HOUR),
        "set-time-source sync-clock activate",
        agreed("rebuild-token-store"),
    ),
    Example(
        "store damaged and one kept already, agreed",
        server(products=BROKEN, store={**STORE, "spare": True}),
        "activate",
        agreed("rebuild-token-store"),
    ),
    Example(
        "store damaged and a MAK, agreed",
        server(products=[DAMAGED_MAK], store=STORE),
        "",
        agreed("rebuild-token-store"),
    ),
    Example(
        "store damaged and a MAK beside the client key, agreed",
        server(products=[*BROKEN, DAMAGED_MAK], store=STORE),
        "activate",
        agreed("rebuild-token-store"),
    ),
    Example(
        "store damaged and an extended update key beside the client key, agreed",
        server(products=[*BROKEN, {**DAMAGED_MAK, "LicenseIsAddon": True}], store=STORE),
        "activate",
        agreed("rebuild-token-store"),
    ),
    Example(
        "store damaged and a key of unknown kind beside the client key, agreed",
        server(
            products=[*BROKEN, {**DAMAGED_MAK, "Description": unreadable()}],
            store=STORE,
        ),
        "",
        agreed("rebuild-token-store"),
    ),
    Example(
        "store damaged and the client key of an unknown edition, agreed",
        server(sku=9999, products=BROKEN, store=STORE),
        "",
        agreed("rebuild-token-store"),
    ),
    Example(
        "store damaged and no key, agreed",
        server(products=[], store=STORE, events__8198=STORE_FAILED),
        "install-key activate",
        agreed("rebuild-token-store"),
    ),
    Example(
        "store damaged and the products unreadable, agreed",
        server(products=unreadable(0xC004E002), store=STORE, services__sppsvc=["Running", "Auto"]),
        "",
        agreed("rebuild-token-store"),
    ),
    Example("a restart awaited", server(licensed=False, kms=OTHER_KMS, restart="rearm"), ""),
    Example(
        "no key", server("2019", kms=OTHER_KMS, products=[]), "install-key set-kms-host activate"
    ),
    Example("retail", server("2019", products=RETAIL), ""),
    Example(
        "retail, agreed",
        server("2019", products=RETAIL),
        "install-key activate",
        context(replace_key=True),
    ),
    Example(
        "licensed by MAK, agreed",
        server("2019", products=[product("2019", channel="VOLUME_MAK")]),
        "",
        context(replace_key=True),
    ),
    Example(
        "the key of another edition", server("2019", licensed=False, sku=7), "install-key activate"
    ),
    Example("evaluation", server("2019", licensed=False, sku=79, kms=OTHER_KMS), ""),
    Example(
        "a leftover of the trial beside the client key",
        server(
            "2019",
            products=[
                product("2019", licensed=False),
                product("2019", licensed=False, channel="TIMEBASED_EVAL", partial="PHYHM"),
            ],
        ),
        "activate",
    ),
    Example(
        "licensed by Active Directory, a KMS host of the domain's",
        server(
            "2019",
            kms=OTHER_KMS,
            role=3,
            products=[product("2019", kms=OTHER_KMS, VLActivationType=1)],
        ),
        "",
    ),
    Example(
        "a KMS host",
        server(
            "2019",
            kms=OTHER_KMS,
            skew_s=5 * HOUR,
            products=[product("2019", licensed=False, channel="VOLUME_KMS_2019_C")],
        ),
        "",
    ),
    Example(
        "imported",
        server(licensed=False, metadata={"image-id": "img-x"}),
        "",
        context(images=IMPORTED),
    ),
    Example(
        "imported, overridden",
        server(licensed=False, metadata={"image-id": "img-x"}),
        "activate",
        context(images=IMPORTED, override_entitlement="ticket 4711"),
    ),
    Example("unknown image", server(licensed=False, metadata={"image-id": "img-y"}), "activate"),
    Example("product policy", server(licensed=False, policy_len=1960), "activate"),
    Example("not elevated", server(licensed=False, elevated=False), ""),
    Example("WSH off", {"wsh": {"machine": 0}}, ""),
    Example("23H2", server("2022", licensed=False, os__build=25398), ""),
    Example(
        "ends in 20 days",
        server("2019", products=[product("2019", GracePeriodRemaining=20 * 1440)]),
        "activate",
    ),
    Example(
        "renewal overdue",
        server("2019", products=[product("2019", GracePeriodRemaining=150 * 1440)]),
        "",
    ),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_exactly_these_steps_in_this_order(example: Example) -> None:
    plan = plan_of(example.raw, example.ctx)
    assert [step.do for step in plan.steps] == example.steps.split()
    assert bool(plan.reason) is not bool(plan.steps)


def params(raw: dict[str, Any], do: str, ctx: Context | None = None) -> dict[str, Any]:
    return next(step.params for step in plan_of(raw, ctx).steps if step.do == do)


def test_2016_prefers_kms1_and_the_others_do_not() -> None:
    on_2016 = params(server("2016", licensed=False, kms=OTHER_KMS), "set-kms-host")
    assert on_2016["hosts"] == ["kms1.tencentyun.com:1688", "kms.tencentyun.com:1688"]
    on_2019 = params(server("2019", licensed=False, kms=OTHER_KMS), "set-kms-host")
    assert on_2019["hosts"] == ["kms.tencentyun.com:1688", "kms1.tencentyun.com:1688"]


def test_the_limits_are_raised_only_beyond_them() -> None:
    near, far = server(licensed=False, skew_s=5 * HOUR), server(licensed=False, skew_s=3 * DAY)
    assert params(near, "sync-clock")["raise_limits"] is False
    assert params(far, "sync-clock")["raise_limits"] is True


def test_the_denying_entries_are_named() -> None:
    raw = server(binary__sddl=DENIED_SDDL.replace(";;;NS", ";;;WD"), **SILENT)
    assert params(raw, "grant-execute") == {"sid": "S-1-5-20", "deny": ["S-1-1-0"]}


def test_the_override_is_cleared_by_its_activation_id() -> None:
    raw = server("2019", products=[product("2019", licensed=False, kms=OTHER_KMS)])
    assert params(raw, "clear-kms-host") == {"layer": "product", "product": PRODUCT_ID}


def test_an_own_key_is_replaced_only_when_asked() -> None:
    raw = server("2019", products=RETAIL)
    refusal = plan_of(raw).refusals[0]
    assert (refusal.finding, refusal.allow_with) == ("key-wrong-channel", "--replace-key")
    agreed = params(raw, "install-key", context(replace_key=True))
    assert agreed == {"keys": {"17763/8": "WMDGN-G9PQG-XVVXX-R3X43-63DFG"}, "replace": True}


def test_entitlement_is_refused_with_the_option_that_allows() -> None:
    raw = server(licensed=False, metadata={"image-id": "img-x"})
    refusal = plan_of(raw, context(images=IMPORTED)).refusals[0]
    assert refusal.finding == "image-not-entitled"
    assert refusal.allow_with == "--override-entitlement REASON"


def test_what_keeps_it_from_being_activated_is_said() -> None:
    plan = plan_of(server(licensed=False, skew_s=5 * HOUR, role=3))
    assert [refusal.finding for refusal in plan.refusals] == ["clock-skew"]
    assert plan.reason.startswith("Not activated, because it would fail: The clock is")


def test_what_could_not_be_read_keeps_it_from_being_activated() -> None:
    plan = plan_of(server(licensed=False, registry__policy_machine=unreadable()))
    assert plan.steps == ()
    assert plan.refusals[0].finding == "fact-unreadable"
    assert "its group policy" in plan.reason


ENDING = [product("2019", GracePeriodRemaining=20 * 1440)]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"reach": {f"{KMS}:1688": TIMEOUT, f"{KMS1}:1688": 0}}, "time-out"),
        ({"reach": {f"{KMS}:1688": REFUSED, f"{KMS1}:1688": 0}}, "refused"),
        ({"reach": {f"{KMS}:1688": unreadable(), f"{KMS1}:1688": 0}}, "could not read whether"),
    ],
)
def test_what_was_tried_in_vain_is_not_called_unread(changes: dict[str, Any], why: str) -> None:
    """Group policy names the host, so no other one is set."""
    raw = server("2019", products=ENDING, registry__policy_machine=KMS, **changes)
    plan = plan_of(raw)
    assert plan.steps == ()
    assert why in plan.reason
    assert ("could not read" in plan.reason) is why.startswith("could not read")


def test_activation_waits_for_the_steps_it_needs() -> None:
    assert params(server(licensed=False, kms=OTHER_KMS), "activate") == {
        "unless_failed": ["set-kms-host"]
    }
    assert params(server(licensed=False), "activate") == {}


def test_every_step_names_its_findings() -> None:
    steps = plan_of(server(licensed=False, kms=OTHER_KMS, skew_s=5 * HOUR)).steps
    because = {step.do: step.because for step in steps}
    assert because["sync-clock"] == ("clock-skew",)
    assert because["activate"] == ("kms-host-wrong", "not-licensed")


def commands(raw: dict[str, Any]) -> tuple[str, ...]:
    ctx = context()
    return console_commands(plan_of(raw, ctx), assess(facts_of(raw), ctx))


def test_the_console_commands_of_the_document_for_2016() -> None:
    assert commands(server("2016", licensed=False, kms=OTHER_KMS)) == (
        f"{SLMGR} -skms kms1.tencentyun.com:1688",
        f"{SLMGR} -ato",
    )


@pytest.mark.parametrize("release", ["2008", "2012", "2019"])
def test_the_console_commands_of_the_document_for_the_others(release: str) -> None:
    assert commands(server(release, licensed=False, kms=OTHER_KMS)) == (
        f"{SLMGR} -skms kms.tencentyun.com:1688",
        f"{SLMGR} -ato",
    )


def test_the_console_commands_take_the_host_that_is_in_reach() -> None:
    raw = server(
        "2016", licensed=False, kms=OTHER_KMS, reach={f"{KMS1}:1688": TIMEOUT, f"{KMS}:1688": 0}
    )
    assert commands(raw)[0] == f"{SLMGR} -skms kms.tencentyun.com:1688"


def test_the_console_commands_keep_an_accepted_host() -> None:
    raw = server("2016", licensed=False, kms=KMS, port=1668)
    assert commands(raw)[0] == f"{SLMGR} -skms kms1.tencentyun.com:1688"
    assert commands(server("2016", licensed=False, kms=KMS)) == (f"{SLMGR} -ato",)


def test_the_console_commands_set_the_clock_as_the_document_says() -> None:
    lines = commands(server(licensed=False, skew_s=5 * HOUR))
    assert lines[:2] == (
        'w32tm /config /syncfromflags:manual /manualpeerlist:"ntpupdate.tencentyun.com" /update',
        "w32tm /resync",
    )


def test_limits_left_raised_are_raised_again_once_they_are_restored() -> None:
    """The clock is set under the limits as they were, which would refuse it."""
    left = server(licensed=False, skew_s=3 * DAY, **RAISED)
    assert params(left, "sync-clock")["raise_limits"] is True
    lines = commands(left)
    after = lines[lines.index("w32tm /resync") :]
    assert any("MaxNegPhaseCorrection /t REG_DWORD /d 54001" in line for line in after)


def test_raised_limits_are_put_back_at_the_console_too() -> None:
    lines = commands(server(licensed=False, skew_s=3 * DAY, time__neg=54_001))
    sync = lines.index("w32tm /resync")
    assert any("MaxNegPhaseCorrection /t REG_DWORD /d 0xFFFFFFFF" in line for line in lines[:sync])
    assert any("MaxNegPhaseCorrection /t REG_DWORD /d 54001" in line for line in lines[sync:])


@pytest.mark.parametrize(
    "raw",
    [
        server(skew_s=5 * HOUR),
        server(skew_s=5 * HOUR, time__type="NTP", time__peers="ntpupdate.tencentyun.com"),
        server(skew_s=3 * DAY, time__neg=54_001),
        server(skew_s=5 * HOUR, services__W32Time=["Stopped", "Manual"]),
        server(skew_s=5 * HOUR, services__W32Time=["Stopped", "Disabled"]),
    ],
)
def test_the_remedy_of_a_clock_is_what_the_plan_types(raw: dict[str, Any]) -> None:
    (finding,) = (f for f in diagnose(assess(facts_of(raw), context())) if f.id == "clock-skew")
    lines = [line for line in commands(raw) if "triggerinfo" not in line]  # another finding's
    assert finding.remedy == f"On the server: {'; '.join(lines)}"


def test_nothing_to_type_on_a_healthy_server() -> None:
    assert commands(server()) == ()


@pytest.mark.parametrize(
    ("step", "restarts"), [("rebuild-token-store", "server 2 times"), ("rearm", "server")]
)
def test_the_restarts_of_a_step_are_among_what_is_typed(step: str, restarts: str) -> None:
    a = assess(facts_of(server()), context())
    lines = console_commands(Plan(steps=(Step(do=step),)), a)
    assert lines[-1] == f"rem restart the {restarts}, then run volact plan again"


def test_no_option_is_named_that_would_allow_nothing() -> None:
    a = assess(facts_of(server(binary__kms_verifier="x.dll")), context())
    (refusal,) = make_plan(a, diagnose(a)).refusals
    assert (refusal.finding, refusal.allow_with) == ("emulator-suspected", "")


FILE = "C:\\Windows\\System32\\sppsvc.exe"
OWNER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"


@pytest.mark.parametrize(
    ("flags", "inheritance"), [("", ()), ("ID", (f'icacls "{FILE}" /inheritance:d',))]
)
def test_a_blocked_program_is_freed_by_its_owner_for_the_moment(
    flags: str, inheritance: tuple[str, ...]
) -> None:
    sddl = f"D:PAI(D;{flags};FX;;;NS)(A;;FA;;;SY)(A;;0x1200a9;;;BU)"
    raw = server("2019", binary__path=FILE, binary__sddl=sddl, **SILENT)
    lines = commands(raw)
    freed = (
        f'takeown /f "{FILE}" /a',
        *inheritance,
        f'icacls "{FILE}" /remove:d *S-1-5-20',
        f'icacls "{FILE}" /grant *S-1-5-20:(RX)',
        f'icacls "{FILE}" /setowner *{OWNER}',
    )
    assert lines[: len(freed)] == freed
    findings = {f.id: f for f in diagnose(assess(facts_of(raw), context()))}
    assert findings["licensing-binary-blocked"].remedy.endswith("; ".join(freed))


def test_limits_to_put_back_are_numbers() -> None:
    limits = shell.restore_limits("54000 1&calc")
    assert "/d 54000 " in limits[0]
    assert limits[1].startswith("reg delete ")
    assert not any("calc" in line for line in limits)


@pytest.mark.parametrize("name_server", ["8.8.8.8'); calc; ('", "x", "1.1.1.1\r\nformat c:"])
def test_a_command_takes_nothing_but_addresses_from_the_server(name_server: str) -> None:
    step = Step(do="add-dns", params={"servers": ("183.60.83.19",), "position": "first"})
    facts = facts_of(server(dns=[name_server, "10.0.0.2"]))
    (line,) = console_commands(Plan(steps=(step,)), assess(facts, context()))
    assert "@('183.60.83.19','10.0.0.2')" in line


@pytest.mark.parametrize(("skew_s", "needed"), [(600, False), (3 * HOUR, False), (5 * HOUR, True)])
def test_only_a_clock_that_a_kms_host_refuses_keeps_the_activation_back(
    skew_s: int, needed: bool
) -> None:
    plan = plan_of(server(licensed=False, skew_s=skew_s))
    activate = next(step for step in plan.steps if step.do == "activate")
    assert ("sync-clock" in activate.params.get("unless_failed", ())) is needed
