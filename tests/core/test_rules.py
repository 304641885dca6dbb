"""One example for each rule: what is wrong on a server, and exactly what is found.

``EXAMPLES`` names every finding that the facts of one server can give rise to;
a test holds it complete.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
from more_examples import MORE
from msgspec.structs import replace
from servers import (
    DENIED_SDDL,
    HEALTHY_SDDL,
    KMS,
    KMS1,
    MISSING,
    NOW_S,
    OTHER_KMS,
    REFUSED,
    RELEASES,
    TIMEOUT,
    UNKNOWN_PROPERTY,
    UNRESOLVED,
    changed,
    context,
    facts_of,
    product,
    server,
    unreadable,
)

from volact.core.assessment import assess
from volact.core.codes import named
from volact.core.context import Context
from volact.core.findings import BY_ID, diagnose
from volact.core.findings.fleet import duplicate_cmids
from volact.model.finding import Finding
from volact.model.profile import HostPort, Image
from volact.model.step import StepResult
from volact.model.text import Commands, Text
from volact.report.labels import LABELS
from volact.report.words import pairs
from volact.words import speaking, tr

HOUR, DAY = 3600, 86_400
BOTH = {f"{KMS}:1688": 0, f"{KMS1}:1688": 0}
SILENT: dict[str, Any] = {"products": unreadable(), "licensing": unreadable()}


def reach(code: int) -> dict[str, int]:
    return dict.fromkeys(BOTH, code)


def event(code: str, host: str = f"{KMS}:1688", at: str = "2026-01-31T07:00:00Z") -> list[Any]:
    return [at, [code, "0x00000000", host, "cmid", "2026/01/31 07:00", "0", "5", "0", "id", "5"]]


class Example(NamedTuple):
    """A server and the ids (``id!`` error, ``id?`` warning, ``id`` info) found on it."""

    name: str
    raw: dict[str, Any]
    found: str
    ctx: Context | None = None


def retail(**changes: Any) -> list[dict[str, Any]]:
    return [product("2019", licensed=False, channel="RETAIL", partial="3V66T", **changes)]


IMPORTED = {"img-x": Image(type="PRIVATE_IMAGE", source="EXTERNAL_IMPORT", license="TencentCloud")}
OWN = {"img-x": Image(license="BYOL")}
OFFICIAL = {"img-x": Image(source="OFFICIAL", license="TencentCloud")}
IMAGE_X: dict[str, Any] = {"metadata": {"image-id": "img-x"}}

EXAMPLES = [
    *(Example(f"healthy-{release}", server(release), "") for release in RELEASES),
    Example("sppsvc stopped is healthy", server(services__sppsvc=["Stopped", "Manual"]), ""),
    # left by an earlier run
    Example("a restart awaited", server(restart="rearm"), "restart-needed!"),
    Example("limits left raised", server(time__saved="54000 -"), "time-limits-raised?"),
    # licence
    Example("never activated", server(licensed=False), "not-licensed!"),
    Example(
        "never activated, host not set",
        server("2012", licensed=False, kms=None),
        "kms-host-wrong! not-licensed!",
    ),
    Example(
        "an add-on without licence is no matter",
        server(
            products=[
                product(licensed=False, LicenseIsAddon=True, ID="esu"),
                product(kms=KMS1),
            ]
        ),
        "addon-not-licensed",
    ),
    Example(
        "the second of two keys is not licensed",
        server("2019", products=[product("2019"), product("2019", licensed=False, ID="two")]),
        "not-licensed! several-keys",
    ),
    Example(
        "ends in 20 days",
        server("2019", products=[product("2019", GracePeriodRemaining=20 * 1440)]),
        "grace-ending! renewal-overdue?",
    ),
    Example(
        "not renewed for 30 days",
        server("2019", products=[product("2019", GracePeriodRemaining=150 * 1440)]),
        "renewal-overdue?",
    ),
    Example(
        "a host that renews every 30 days",
        server(
            "2019",
            products=[product("2019", GracePeriodRemaining=150 * 1440, VLRenewalInterval=43_200)],
        ),
        "",
    ),
    Example("no rearm left", server(licensing__rearm=0), "rearm-exhausted"),
    Example(
        "store damaged",
        server(products=[product(licensed=False, kms=KMS1, LicenseStatusReason=0xC004E002)]),
        "token-store-damaged! not-licensed!",
    ),
    # KMS host
    Example("foreign host", server(licensed=False, kms=OTHER_KMS), "kms-host-wrong! not-licensed!"),
    Example(
        "licensed by a foreign host",
        server(kms=OTHER_KMS),
        "kms-host-wrong! licensed-by-other-kms!",
    ),
    Example("the other accepted host", server("2016", kms=KMS), ""),
    Example("kms1 on 2019", server("2019", kms=KMS1), ""),
    Example("case and trailing dot", server("2019", kms="KMS.TencentYun.com."), ""),
    Example("port 1668", server("2019", port=1668), "kms-port-wrong!"),
    Example("port not set", server("2019", port=0), ""),
    Example(
        "IPv6 host",
        server("2019", kms="[2001:db8::1]"),
        "kms-host-wrong! licensed-by-other-kms!",
    ),
    Example(
        "host not set, DNS finds the provider's",
        server(
            "2019",
            kms=None,
            products=[product("2019", kms=None, DiscoveredKeyManagementServiceMachineName=KMS)],
        ),
        "",
    ),
    Example(
        "host not set, DNS finds a foreign one",
        server(
            "2019",
            kms=None,
            products=[
                product("2019", kms=None, DiscoveredKeyManagementServiceMachineName=OTHER_KMS)
            ],
        ),
        "kms-host-wrong! licensed-by-other-kms!",
    ),
    Example(
        "host not set, licensed by an accepted one",
        server(
            "2019",
            kms=None,
            events={
                "12288": event("0x00000000"),
                "12289": ["2026-01-31T07:00:00Z", ["0x00000000", "0x00000000", "1"]],
            },
        ),
        "",
    ),
    Example(
        "2008, discovered in the registry",
        server("2008", kms=None, registry__discovered_name=KMS, registry__discovered_port="1688"),
        "",
    ),
    Example(
        "a product of its own",
        server("2019", products=[product("2019", licensed=False, kms=OTHER_KMS)]),
        "kms-host-per-product-override! not-licensed!",
    ),
    Example(
        "a product of its own at the provider",
        server("2019", kms=OTHER_KMS, products=[product("2019", kms=KMS)]),
        "",
    ),
    Example(
        "group policy, foreign",
        server("2019", licensed=False, registry__policy_machine=OTHER_KMS),
        "kms-host-set-by-policy! not-licensed!",
    ),
    Example(
        "group policy, the provider's",
        server("2019", registry__policy_machine=KMS, kms=OTHER_KMS),
        "kms-host-set-by-policy",
    ),
    Example(
        "licensed by Active Directory",
        server("2019", kms=None, products=[product("2019", kms=None, VLActivationType=1)]),
        "licensed-by-other-kms?",
    ),
    # network
    Example(
        "names do not resolve",
        server(licensed=False, reach=reach(UNRESOLVED), dns=["8.8.8.8"]),
        "kms-name-unresolved! not-licensed! dns-not-provider?",
    ),
    Example(
        "connection refused",
        server(licensed=False, reach=reach(REFUSED)),
        "kms-unreachable! not-licensed!",
    ),
    Example(
        "time-out, route gone",
        server(licensed=False, reach=reach(TIMEOUT), routes=[["0.0.0.0", "0.0.0.0", "10.0.0.1"]]),
        "kms-unreachable! not-licensed! provider-route-missing?",
    ),
    Example(
        "the host that is set is down, the other is up",
        server("2016", licensed=False, reach={f"{KMS1}:1688": TIMEOUT, f"{KMS}:1688": 0}),
        "kms-unreachable! not-licensed!",
    ),
    Example("other DNS servers that know the names too", server(dns=["10.0.0.2"]), ""),
    Example(
        "the host says no",
        server(licensed=False, events={"12288": event("0x0"), "12289": event("0xC004F038")}),
        "kms-host-refuses! not-licensed!",
    ),
    # clock
    Example("5 h ahead", server(skew_s=5 * HOUR), "clock-skew! time-seeding"),
    Example("3 days behind", server(skew_s=-3 * DAY), "clock-skew! time-seeding"),
    Example("10 minutes ahead", server(skew_s=600), "clock-skew? time-seeding"),
    Example("a minute ahead", server(skew_s=60), ""),
    Example("domain member, 5 h", server(skew_s=5 * HOUR, role=3), "clock-skew! time-seeding"),
    Example(
        "only volact's own clock disagrees",
        server(time__utc=int((NOW_S + 5 * HOUR) * 1000), time__ref_at=int(NOW_S * 1000)),
        "",
    ),
    Example(
        "W32Time disabled", server(services__W32Time=["Stopped", "Disabled"]), "time-service-off?"
    ),
    Example("W32Time stopped, clock right", server(services__W32Time=["Stopped", "Manual"]), ""),
    Example(
        "W32Time stopped, clock off",
        server(services__W32Time=["Stopped", "Manual"], skew_s=5 * HOUR),
        "clock-skew! time-service-off!",
    ),
    Example("W32Time gone", server(services__W32Time=None), "time-service-off?"),
    Example("NoSync", server(time__type="NoSync"), "time-source-missing?"),
    Example("waits for a domain", server(time__type="NT5DS"), "time-source-missing?"),
    Example("follows its domain", server(time__type="NT5DS", role=3), ""),
    Example("NTP client off", server(time__client=0), "time-source-missing?"),
    # services and the program
    Example(
        "sppsvc disabled",
        server(services__sppsvc=["Stopped", "Disabled"], **SILENT),
        "service-disabled!",
    ),
    Example(
        "slsvc disabled",
        server("2008", services__slsvc=["Stopped", "Disabled"], **SILENT),
        "service-disabled!",
    ),
    Example(
        "Schedule disabled", server(services__Schedule=["Stopped", "Disabled"]), "service-disabled?"
    ),
    Example("sppsvc stopped and silent", server(**SILENT), "service-stopped!"),
    Example(
        "sppsvc runs and is silent",
        server(services__sppsvc=["Running", "Auto"], **SILENT),
        "fact-unreadable!",
    ),
    Example(
        "sppuinotify stopped",
        server("2008 R2", licensed=False, services__sppuinotify=["Stopped", "Manual"]),
        "spp-notification-stopped! not-licensed!",
    ),
    Example(
        "sppuinotify stopped, licensed",
        server("2008 R2", services__sppuinotify=["Stopped", "Manual"]),
        "spp-notification-stopped",
    ),
    Example("no sppuinotify since 2012", server("2012", services__sppuinotify=None), ""),
    Example(
        "execution denied", server(binary__sddl=DENIED_SDDL, **SILENT), "licensing-binary-blocked!"
    ),
    Example(
        "an ACL that is not understood",
        server(binary__sddl=HEALTHY_SDDL + "(XA;;FX;;;WD;(a==b))"),
        "",
    ),
    Example(
        "a debugger for sppsvc.exe",
        server(binary__debugger="systray.exe", **SILENT),
        "licensing-binary-blocked!",
    ),
    Example(
        "a debugger for SppExtComObj.exe",
        server(binary__kms_debugger="x.exe"),
        "licensing-binary-blocked!",
    ),
    Example("a library in sppsvc.exe", server(binary__verifier="x.dll"), "emulator-suspected!"),
    Example(
        "a library in SppExtComObj.exe", server(binary__kms_verifier="x.dll"), "emulator-suspected!"
    ),
    Example(
        "a debugger that is known to forge answers",
        server(binary__kms_debugger="C:\\Windows\\SppExtComObjPatcher.exe"),
        "emulator-suspected! licensing-binary-blocked!",
    ),
    Example(
        "sppsvc.exe is gone",
        server(binary__exists=False, binary__sddl=None, **SILENT),
        "licensing-binary-blocked!",
    ),
    # key and edition
    Example("no key", server("2019", products=[]), "key-missing!"),
    Example("a retail key", server("2019", products=retail()), "key-wrong-channel! not-licensed!"),
    Example(
        "licensed by MAK",
        server("2019", products=[product("2019", channel="VOLUME_MAK", partial="ABCDE")]),
        "licensed-by-own-key",
    ),
    Example(
        "the key of another edition",
        server("2019", licensed=False, sku=7),
        "key-wrong-edition! not-licensed!",
    ),
    Example(
        "evaluation by number",
        server("2019", sku=79, products=[product("2019", channel="TIMEBASED_EVAL")]),
        "edition-evaluation!",
    ),
    Example(
        "a KMS host",
        server("2019", products=[product("2019", channel="VOLUME_KMS_2019_C")]),
        "kms-host-role",
    ),
    # entitlement
    Example("imported image", server(**IMAGE_X), "image-not-entitled!", context(images=IMPORTED)),
    Example(
        "imported image, overridden",
        server(**IMAGE_X),
        "image-not-entitled",
        context(images=IMPORTED, override_entitlement="ticket 4711"),
    ),
    Example("own licence", server(**IMAGE_X), "license-byol!", context(images=OWN)),
    Example("official image", server(**IMAGE_X), "", context(images=OFFICIAL)),
    Example("unknown image", server(**IMAGE_X), "entitlement-unknown"),
    Example(
        "image known from the cloud alone",
        server(metadata=unreadable()),
        "image-not-entitled!",
        replace(context(images=IMPORTED), image="img-x"),
    ),
    Example(
        "own licence of the server itself",
        server(**IMAGE_X),
        "license-byol!",
        replace(context(images=OFFICIAL), license="BYOL"),
    ),
    Example(
        "the usual licence of a server says nothing",
        server(**IMAGE_X),
        "entitlement-unknown",
        replace(context(), license="TencentCloud"),
    ),
    Example("no metadata", server(metadata=unreadable()), "entitlement-unknown"),
    # the system
    Example(
        "a self-check failed",
        server(checks={"clock": "3600000 ms", "error-number": True}),
        "agent-self-check-failed!",
    ),
    Example("a self-check could not be made", server(checks={"clock": unreadable()}), ""),
    Example("all was answered", server(blocked=[]), ""),
    Example("no watchdog", server(blocked=unreadable()), ""),
    Example("a fact of little weight blocked", server(blocked=["firewall"]), "call-blocked?"),
    Example(
        "licensing never answered",
        server(
            products=unreadable(0x8001011F),
            blocked=["products"],
            services__sppsvc=["Running", "Auto"],
        ),
        "call-blocked! fact-unreadable!",
    ),
    Example(
        "an activation that never returned",
        server(licensed=False, blocked=["activate"]),
        "call-blocked! not-licensed!",
    ),
    Example("WSH off", {"wsh": {"machine": 0}}, "wsh-disabled!"),
    Example("no VBScript", server("2025", wsh__vbscript=False), "vbscript-missing"),
    Example("no slmgr.vbs", server("2008 R2", wsh__slmgr=False), "vbscript-missing"),
    Example("WSH off for the user", server(wsh__user=0), "wsh-disabled!"),
    Example("not elevated", server(elevated=False), "not-elevated!"),
    Example("product policy of 1960 bytes", server(policy_len=1960), "product-policy-damaged!"),
    Example("no product policy", server(policy_len=None), ""),
    Example("23H2, licensed", server(os__build=25398), "release-without-gvlk?"),
    Example(
        "a client Windows",
        server("2019", licensed=False, os__sku=4),
        "release-unsupported! not-licensed!",
    ),
    Example(
        "an unknown build",
        server("2019", licensed=False, os__build=12345),
        "release-unsupported! not-licensed!",
    ),
    # facts that are missing
    Example("build unreadable", server(os__build=unreadable()), "fact-unreadable?"),
    Example("policy not asked", server(registry__policy_machine=MISSING), "fact-unreadable?"),
    Example("reach not asked", server(reach={}), "fact-unreadable?"),
    Example(
        "status unreadable",
        server(products=[product(kms=KMS1, LicenseStatus=unreadable(UNKNOWN_PROPERTY))]),
        "fact-unreadable!",
    ),
]

EXAMPLES += [Example(*rarer) for rarer in MORE]


def found(findings: tuple[Finding, ...]) -> list[str]:
    mark = {"error": "!", "warning": "?", "info": ""}
    return [finding.id + mark[finding.severity] for finding in findings]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_exactly_this_is_found(example: Example) -> None:
    findings = diagnose(assess(facts_of(example.raw), example.ctx or context()))
    assert found(findings) == example.found.split()


_SHELL = re.compile(
    r"\b(cscript|reg (add|delete)|net (start|stop)|sc (config|sdset|start)|w32tm /|netsh"
    r"|route |icacls|nslookup|DISM /|powershell -|sfc /|gpupdate /)", re.IGNORECASE
)  # fmt: skip
_FILLED_IN = re.compile(r"\b(GVLK|EDITION|GATEWAY|ADDRESS-OF-THIS-SERVER)\b")


def _prose(text: str) -> str:
    """A remedy without what is marked as a command."""
    if isinstance(text, Commands):
        return ""
    if not isinstance(text, Text) or not text.template:
        return text
    args = {k: _prose(v) if isinstance(v, str) else v for k, v in text.args.items()}
    return text.template.format(**args)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_command_in_a_remedy_is_marked_as_one(example: Example) -> None:
    """What has to be filled in first is none: it does not run as it stands."""
    for finding in diagnose(assess(facts_of(example.raw), example.ctx or context())):
        if not _FILLED_IN.search(finding.remedy):
            assert not _SHELL.search(_prose(finding.remedy)), finding.remedy


def test_every_finding_has_an_example() -> None:
    shown = {word.rstrip("!?") for example in EXAMPLES for word in example.found.split()}
    assert shown | {"duplicate-cmid", "clock-set-back", "rule-failed"} == set(BY_ID), "EXAMPLES"


def test_every_key_of_evidence_has_a_label() -> None:
    """But where the keys are names of facts."""
    missing = {
        f"{finding.id}: {key}"
        for example in EXAMPLES
        for finding in diagnose(assess(facts_of(example.raw), example.ctx or context()))
        for key in finding.evidence
        if key not in LABELS and finding.id != "fact-unreadable"
    }
    assert not missing, "LABELS of report/labels.py says what each key is called for a person"


# What a stored sentence may be said with otherwise: signs between names, and the name of a fact.
_ALIKE = {"、": ", ", "（": " (", "）": ")", "产品": "products", "produk": "products"}


def _alike(said: str) -> str:
    for other, usual in _ALIKE.items():
        said = said.replace(other, usual)
    return " ".join(said.split())


@pytest.mark.parametrize("language", ["id", "zh-CN"])
def test_a_stored_sentence_is_said_as_a_new_one(language: str) -> None:
    """The store has sentences in English alone: their templates are found again."""
    said = {
        sentence
        for example in EXAMPLES
        for finding in diagnose(assess(facts_of(example.raw), example.ctx or context()))
        for sentence in (finding.summary, finding.remedy)
        if isinstance(sentence, Text)
    }
    assert len(said) > 200
    with speaking(language):
        other = {str(new): tr(str(new)) for new in said if _alike(tr(str(new))) != _alike(tr(new))}
    assert other == {}


def one(id: str, raw: dict[str, Any], ctx: Context | None = None) -> Finding:
    findings = diagnose(assess(facts_of(raw), ctx or context()))
    return next(finding for finding in findings if finding.id == id)


def test_no_time_server_is_named_where_the_domain_role_is_not_known() -> None:
    """It may be a member, which a time server of its own takes out of the domain's time."""
    remedy = one("clock-skew", server(skew_s=5 * HOUR, os__role=unreadable())).remedy
    assert "manualpeerlist" not in remedy
    assert "w32tm /resync" in remedy


@pytest.mark.parametrize(
    ("release", "repair", "said"),
    [
        ("2008 R2", "automatic", "sc config PlugPlay start= auto"),
        ("2012", "manual", "Give PlugPlay the start mode that another server"),
        ("2016", "automatic", "sc config PlugPlay start= demand"),
    ],
)
def test_plug_and_play_gets_back_a_start_mode_that_is_known(
    release: str, repair: str, said: str
) -> None:
    found = one("service-disabled", server(release, services__PlugPlay=["Stopped", "Disabled"]))
    assert (found.severity, found.repair) == ("warning", repair)
    assert said in found.remedy


@pytest.mark.parametrize("local", [0, 1])
def test_a_policy_that_turns_the_ntp_client_off_is_named(local: int) -> None:
    raw = server(skew_s=5 * HOUR, time__client=local, time__policy_client=0)
    source, skew = one("time-source-missing", raw), one("clock-skew", raw)
    assert source.summary.startswith("Group policy turns the NTP client")
    assert (source.repair, skew.repair) == ("manual", "manual")
    for finding in (source, skew):
        assert "Enable Windows NTP Client" in finding.remedy
        assert "reg add" not in finding.remedy


def test_an_ntp_client_that_is_off_is_told_where_policy_cannot_be_read() -> None:
    raw = server(skew_s=5 * HOUR, time__client=0, time__policy_client={"!": 0x80070005})
    source = one("time-source-missing", raw)
    assert source.summary.startswith("The NTP client of the Windows Time service is off")
    assert (source.repair, one("clock-skew", raw).repair) == ("manual", "manual")


@pytest.mark.parametrize(("own", "repair"), [(1, "automatic"), (0, "manual")])
def test_an_agent_that_did_not_ask_for_the_policy_leaves_the_own_value(
    own: int, repair: str
) -> None:
    raw = server(skew_s=5 * HOUR, time__client=own)
    del raw["time"]["policy_client"]
    assert one("clock-skew", raw).repair == repair


FORWARDER = (
    'powershell -Command "Add-DnsServerConditionalForwarderZone -Name tencentyun.com'
    ' -MasterServers 183.60.83.19,183.60.82.98"'
)


@pytest.mark.parametrize("id", ["kms-name-unresolved", "dns-not-provider"])
@pytest.mark.parametrize("role", [2, 3, 5])
def test_in_a_domain_its_own_name_servers_forward_the_providers_names(id: str, role: int) -> None:
    """The first name server's "no" is final, and members need the domain's in front."""
    facts = server(licensed=False, role=role, reach=reach(UNRESOLVED), dns=["10.0.0.10"])
    found = one(id, facts, context(consent=frozenset({"add-dns"})))
    assert (FORWARDER in found.remedy) is (role != 2)
    assert found.repair == ("automatic" if role == 2 else "manual")


def test_a_forwarder_is_told_too_where_the_providers_server_is_asked_after_the_domains() -> None:
    asked = ["10.0.0.10", "183.60.83.19"]
    facts = server(licensed=False, role=3, reach=reach(UNRESOLVED), dns=asked)
    assert FORWARDER in one("kms-name-unresolved", facts).remedy


def test_a_kms_host_of_ones_own_needs_no_forwarder_to_the_provider() -> None:
    known = context().knowledge
    profile = known.profile.with_kms_hosts((HostPort("kms.corp.example"),))
    asked = {"kms.corp.example:1688": UNRESOLVED}
    facts = server(licensed=False, kms="kms.corp.example", role=3, reach=asked, dns=["10.0.0.10"])
    ctx = replace(context(), knowledge=replace(known, profile=profile))
    assert "Forwarder" not in one("kms-name-unresolved", facts, ctx).remedy


def test_the_clock_is_given_in_seconds_and_in_words() -> None:
    finding = one("clock-skew", server(skew_s=-5 * HOUR - 1800))
    assert finding.evidence["skew_s"] == -5 * HOUR - 1800
    assert finding.summary.startswith("The clock is 5 h 30 min behind;")


@pytest.mark.parametrize(
    ("changes", "beyond"),
    [
        ({"skew_s": 5 * HOUR}, False),
        ({"skew_s": 3 * DAY}, True),
        ({"skew_s": 3 * DAY, "time__neg": 0xFFFFFFFF}, False),
        ({"skew_s": 3 * DAY, "time__pos": 0xFFFFFFFF}, True),
        ({"skew_s": -3 * DAY, "time__pos": 0xFFFFFFFF}, False),
        ({"skew_s": 3 * DAY, "time__neg": None}, True),
        ({"skew_s": 5 * HOUR, "time__policy_neg": 3600}, True),
        ({"skew_s": 3 * DAY, "time__policy_neg": 0xFFFFFFFF}, False),
    ],
)
def test_the_phase_limit_that_counts(changes: dict[str, Any], beyond: bool) -> None:
    assert one("clock-skew", server(**changes)).evidence["beyond_phase_limit"] is beyond


def test_a_limit_of_group_policy_is_left_to_a_person() -> None:
    finding = one("clock-skew", server(skew_s=5 * HOUR, time__policy_neg=3600))
    assert finding.repair == "manual"
    assert "Group policy" in finding.remedy


def test_evidence_of_a_host_that_is_not_set_is_empty() -> None:
    finding = one("kms-host-wrong", server("2012", licensed=False, kms=None))
    assert finding.evidence["current"] == ""
    assert finding.remedy.endswith("slmgr.vbs -skms kms.tencentyun.com:1688")


def test_a_try_that_told_too_little_is_in_the_evidence() -> None:
    """A deadline that ends the try does not make the host unreachable, and it is seen."""
    tried: dict[str, Any] = {
        "reach": {f"{KMS}:1688": TIMEOUT},
        "reached": {f"{KMS}:1688": ["unknown", 11010]},
    }
    finding = one("not-licensed", server("2022", licensed=False, **tried))
    assert finding.evidence["reach"] == {f"{KMS}:1688": "unclear"}
    assert "uncertain" in pairs(finding.evidence)
    assert "reach" not in one("not-licensed", server("2022", licensed=False)).evidence


def test_the_misprint_is_named() -> None:
    assert one("kms-port-wrong", server("2019", port=1668)).evidence["misprint"] is True
    assert one("kms-port-wrong", server("2019", port=1689)).evidence["misprint"] is False


@pytest.mark.parametrize(
    ("build", "sku", "command"),
    [
        (17763, 79, "/Set-Edition:ServerStandard /ProductKey:N69G4-"),
        (17763, 80, "/Set-Edition:ServerDatacenter /ProductKey:WMDGN-"),
        (17763, 160, "/Set-Edition:ServerDatacenterCor /ProductKey:WMDGN-"),
        (9600, 160, "/Set-Edition:ServerStandardCor /ProductKey:D2N9P-"),
    ],
)
def test_the_conversion_command_is_exact(build: int, sku: int, command: str) -> None:
    finding = one("edition-evaluation", server(os__build=build, os__sku=sku))
    assert f"DISM /Online {command}" in finding.remedy


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0x80041017, "0x80041017, WMI does not"),
        (0xC004F056, "0xC004F056, Windows is not"),
        (0xC004F06C, "0xC004F06C, the KMS host found"),
    ],
)
def test_a_meaning_inside_a_sentence_keeps_its_names(code: int, words: str) -> None:
    assert named(code, context().knowledge.errors).startswith(words)


def test_the_inner_code_explains_the_umbrella() -> None:
    raw = server(licensed=False, events={"12288": event("0xC004F06C"), "12289": None})
    facts = facts_of(raw)
    umbrella = StepResult(do="activate", ok=False, hresult=0xC004F074)
    findings = {f.id: f for f in diagnose(assess(facts, context(), (umbrella,)))}
    evidence = findings["not-licensed"].evidence
    assert evidence["code"] == "0xC004F06C"
    assert (evidence["symbol"], evidence["class"]) == ("SL_E_VL_INVALID_TIMESTAMP", "time")
    assert (evidence["asked"], evidence["from"]) == (f"{KMS}:1688", "event 12288")
    assert evidence["at"] == "2026-01-31T07:00:00Z"
    assert "Correct the clock" in findings["not-licensed"].remedy
    assert "other findings" not in findings["not-licensed"].remedy  # there are none
    assert "0xC004F06C, the KMS host found the time" in findings["not-licensed"].summary


def test_the_code_of_the_attempt_goes_before_old_events() -> None:
    facts = facts_of(server(licensed=False, events={"12288": event("0x800706BA")}))
    refused = StepResult(do="activate", ok=False, hresult=0xC004F038)
    ids = [finding.id for finding in diagnose(assess(facts, context(), (refused,)))]
    assert "kms-host-refuses" in ids
    assert "kms-host-refuses" not in [finding.id for finding in diagnose(assess(facts, context()))]


def test_event_8198_counts_where_no_request_was_sent() -> None:
    """Without a host there is no 12288; what failed shows in 8198 alone."""
    told = {"12288": None, "12289": None, "8198": ["2026-01-31T07:00:00Z", ["hr=0x8007232B"]]}
    evidence = one("not-licensed", server(licensed=False, events=told)).evidence
    assert (evidence["code"], evidence["from"]) == ("0x8007232B", "event 8198")


def test_what_says_nothing_gives_way_to_what_does() -> None:
    told = {
        "12288": event("0xC004F06C"),
        "12289": None,
        "8198": ["2026-01-31T07:30:00Z", ["hr=0xC004F074"]],
    }
    evidence = one("not-licensed", server(licensed=False, events=told)).evidence
    assert (evidence["code"], evidence["from"]) == ("0xC004F06C", "event 12288")


@pytest.mark.parametrize("code", ["0x80004005", "0x8A010101"])
def test_an_8198_without_a_known_reason_gives_way_to_the_request(code: str) -> None:
    told = {
        "12288": event("0x800706BA"),
        "12289": None,
        "8198": ["2026-01-31T07:30:00Z", [f"hr={code}"]],
    }
    evidence = one("not-licensed", server(licensed=False, events=told)).evidence
    assert (evidence["code"], evidence["from"]) == ("0x800706BA", "event 12288")
    alone = {"12288": None, "12289": None, "8198": told["8198"]}
    evidence = one("not-licensed", server(licensed=False, events=alone)).evidence
    assert (evidence["code"], evidence["from"]) == (code, "event 8198")


def test_a_step_without_a_reason_of_its_own_gives_way_to_the_request() -> None:
    facts = facts_of(server(licensed=False, events={"12288": event("0x800706BA")}))
    failed = StepResult(do="activate", ok=False, hresult=0x80004005)
    found = {f.id: f for f in diagnose(assess(facts, context(), (failed,)))}
    assert found["not-licensed"].evidence["code"] == "0x800706BA"


def test_what_failed_before_the_last_success_is_over() -> None:
    told = {
        "12288": event("0x00000000", at="2026-01-31T07:00:00Z"),
        "12289": event("0x00000000", at="2026-01-31T07:00:00Z"),
        "8198": ["2026-01-30T07:30:00Z", ["hr=0x8007232B"]],
    }
    assert one("not-licensed", server(licensed=False, events=told)).evidence["code"] is None


def test_a_clock_that_is_set_back_is_told_by_the_step() -> None:
    facts = facts_of(server(skew_s=5 * HOUR, time__vmic=1))
    right = StepResult(do="sync-clock", ok=True, changed=True, after={"skew_s": 2})
    findings = {f.id: f for f in diagnose(assess(facts, context(), (right,)))}
    assert findings["clock-set-back"].severity == "error"
    assert findings["clock-set-back"].evidence["after_step_s"] == 2
    assert "VMICTimeProvider" in findings["clock-set-back"].remedy
    wrong = StepResult(do="sync-clock", ok=False, after={"skew_s": 18_000})
    for results in ((wrong,), ()):
        assert "clock-set-back" not in {f.id for f in diagnose(assess(facts, context(), results))}


def test_an_answer_older_than_the_last_request_does_not_count() -> None:
    older = event("0xC004F038", at="2026-01-30T07:00:00Z")
    raw = server(licensed=False, events={"12288": event("0x800706BA"), "12289": older})
    assert one("not-licensed", raw).evidence["code"] == "0x800706BA"


def test_the_route_command_names_the_gateway() -> None:
    raw = server(reach=reach(TIMEOUT), routes=[["0.0.0.0", "0.0.0.0", "10.9.8.1"]])
    remedy = one("provider-route-missing", raw).remedy
    assert "route add 169.254.0.0 mask 255.255.128.0 10.9.8.1 -p" in remedy


def test_unreadable_facts_are_named_with_their_code() -> None:
    raw = changed(server(), {"os__build": unreadable(0x80041003)})
    finding = one("fact-unreadable", raw)
    assert finding.evidence == {"os.build": "0x80041003"}


def test_what_time_ran_out_for_is_asked_with_a_longer_deadline() -> None:
    assert "--deadline" in one("fact-unreadable", server(products=unreadable(0x800705B4))).remedy
    refused = server(products=unreadable(), routes=unreadable(0x800705B4))
    assert "--deadline" not in one("fact-unreadable", refused).remedy


def clone(address: str) -> dict[str, Any]:
    return server(licensing__cmid="9F7B1C55-2A5A-4B7E-9D3E-0C6F3A1B2C4D", addresses=[address])


def test_a_server_that_is_listed_twice_is_no_clone_of_itself() -> None:
    twice = {"web-01": facts_of(clone("10.0.0.5")), "10.0.0.5": facts_of(clone("10.0.0.5"))}
    assert duplicate_cmids(twice) == {}
    shared = duplicate_cmids({**twice, "b": facts_of(clone("10.0.0.9"))})
    assert shared["web-01"].evidence["servers"] == ["b"]
    assert shared["b"].evidence["servers"] == ["10.0.0.5", "web-01"]


def test_clones_whose_addresses_are_not_known_are_clones() -> None:
    unknown = facts_of(server(addresses=unreadable()))
    assert sorted(duplicate_cmids({"a": unknown, "b": unknown})) == ["a", "b"]


def test_machine_ids_that_are_shared_are_found_across_servers() -> None:
    fleet = {
        "a": facts_of(server()),
        "b": facts_of(clone("10.0.0.9")),
        "c": facts_of(server(licensing__cmid="another")),
        "d": facts_of(server(licensing=unreadable())),
    }
    shared = duplicate_cmids(fleet)
    assert sorted(shared) == ["a", "b"]
    assert shared["a"].evidence["servers"] == ["b"]


def test_a_provider_without_hosts_leaves_the_host_to_dns() -> None:
    findings = diagnose(assess(facts_of(server("2019", kms=OTHER_KMS)), context("generic")))
    assert not [finding for finding in findings if finding.severity == "error"]
