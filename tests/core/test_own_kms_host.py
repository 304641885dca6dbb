"""With ``--kms-host`` the accepted hosts are the operator's, and are not called the provider's."""

from __future__ import annotations

from typing import Any

import pytest
from judged import judged as judging
from msgspec.structs import replace
from servers import CONNECTED, TIMEOUT, UNRESOLVED, context, facts_of, server

from volact.agent.request import new_request
from volact.core.assessment import assess
from volact.core.context import Context
from volact.core.findings import diagnose
from volact.core.plan import make_plan
from volact.knowledge.load import load_profile, profile_names
from volact.model.finding import Finding
from volact.model.profile import HostPort, Image
from volact.model.step import Plan

OWN = "kms.corp.example"
CLOUDS_HOST = "kms.tencentyun.com"


def named(*hosts: str, provider: str = "tencent", **policy: Any) -> Context:
    """As with ``--kms-host`` for each of these hosts."""
    ctx = context(provider, **policy)
    profile = ctx.knowledge.profile.with_kms_hosts(tuple(map(HostPort.parse, hosts or (OWN,))))
    known = replace(ctx.knowledge, profile=profile)
    return replace(ctx, knowledge=known, clouds=tuple(map(load_profile, profile_names())))


def judged(raw: dict[str, Any], ctx: Context) -> tuple[dict[str, Finding], Plan]:
    a = assess(facts_of(raw), ctx)
    findings = diagnose(a)
    return {finding.id: finding for finding in findings}, make_plan(a, findings)


@pytest.mark.parametrize("provider", ["tencent", "generic"])
def test_a_server_that_another_host_licenses(provider: str) -> None:
    """It said: by kms.tencentyun.com of Tencent Cloud, not by a KMS host of Tencent Cloud."""
    raw = server("2019", kms=CLOUDS_HOST, reach={f"{OWN}:1688": 0})
    found, _ = judged(raw, named(provider=provider))
    assert found["licensed-by-other-kms"].summary.startswith(
        "Windows is licensed by kms.tencentyun.com:1688 of Tencent Cloud, not by the KMS host "
        "named with --kms-host (kms.corp.example:1688); "
    )


@pytest.mark.parametrize("provider", ["tencent", "generic"])
@pytest.mark.parametrize(
    ("kms", "said"),
    [
        (
            CLOUDS_HOST,
            "The KMS host is kms.tencentyun.com:1688 of Tencent Cloud, not the one named with "
            "--kms-host (kms.corp.example:1688).",
        ),
        (
            None,
            "No KMS host is configured; the one named with --kms-host is kms.corp.example:1688.",
        ),
    ],
)
def test_a_server_that_is_not_set_to_it(provider: str, kms: str | None, said: str) -> None:
    raw = server("2019", licensed=False, kms=kms, reach={f"{OWN}:1688": 0})
    found, _ = judged(raw, named(provider=provider))
    assert found["kms-host-wrong"].summary == said


def test_a_server_whose_host_comes_from_dns() -> None:
    raw = server("2019", licensed=False, kms=None, reach={f"{OWN}:1688": 0})
    raw["products"][0]["DiscoveredKeyManagementServiceMachineName"] = "old.corp.example"
    raw["products"][0]["DiscoveredKeyManagementServiceMachinePort"] = 1688
    found, _ = judged(raw, named())
    assert found["kms-host-wrong"].summary == (
        "No KMS host is configured, and DNS gives old.corp.example:1688; the one named with "
        "--kms-host is kms.corp.example:1688."
    )


@pytest.mark.parametrize(
    ("host", "said"),
    [
        (OWN, "which is named with --kms-host."),
        (CLOUDS_HOST, "which is not named with --kms-host."),
    ],
)
def test_group_policy(host: str, said: str) -> None:
    raw = server("2019", licensed=False, kms=OWN, reach={f"{OWN}:1688": 0})
    raw["registry"] |= {"policy_machine": host, "policy_port": "1688"}
    found, _ = judged(raw, named())
    assert found["kms-host-set-by-policy"].summary == (
        f"Group policy sets the KMS host to {host}:1688, {said}"
    )


@pytest.mark.parametrize("policy", [False, True])
@pytest.mark.parametrize(
    ("kms", "resolved"),
    [
        ("kms2.corp.example", {}),
        ("KMS2.corp.example.", {}),
        ("kms2", {}),
        ("activate.corp.example", {"activate.corp.example": ["kms2.corp.example", "10.1.2.4"]}),
        # Both names lead to one address: the one that is set is told.
        (
            "kms2.corp.example",
            {"kms1.corp.example": ["10.1.2.4"], "kms2.corp.example": ["10.1.2.4"]},
        ),
    ],
)
def test_a_wrong_port_of_one_of_several_hosts(
    kms: str, resolved: dict[str, list[str]], *, policy: bool
) -> None:
    """By a short name or one that the server resolves, too: the first host's port was told."""
    raw = server("2019", licensed=False, kms=kms, port=1700, os__role=1, os__domain="corp.example")
    raw["resolved"] = resolved
    if policy:
        raw["registry"] |= {"policy_machine": kms, "policy_port": "1700"}
    found, _ = judged(raw, named("kms1.corp.example", "kms2.corp.example:1689"))
    finding = found["kms-host-set-by-policy" if policy else "kms-port-wrong"]
    assert "1700 instead of 1689." in finding.summary
    assert "kms2.corp.example:1689" in finding.remedy


def test_nothing_says_the_providers_of_the_operators_host() -> None:
    """Other sentences: licensed by it, set by its address, a release that it may not serve."""
    raw = server("2019", kms=OWN, reach={f"{OWN}:1688": 0})
    _, plan = judged(raw, named())
    assert plan.reason == "Nothing to do: licensed by the KMS host named with --kms-host."
    pinned = server("2019", kms="10.1.2.3", reach={f"{OWN}:1688": 0}, resolved={OWN: ["10.1.2.3"]})
    found, _ = judged(pinned, named())
    assert found["kms-host-pinned"].summary == (
        "The KMS host is configured by its IP address, 10.1.2.3:1688, not by its name "
        "(kms.corp.example:1688)."
    )
    older = server("2019", licensed=False, kms=OWN, os__build=19042, os__sku=145)
    found, _ = judged(older, named())
    assert found["release-unsupported"].summary == (
        "volact does not know whether kms.corp.example:1688 serves Windows Server 20H2."
    )


def test_azure_edition_with_a_kms_host_of_ones_own_and_no_cloud() -> None:
    """It said: Own KMS host has none."""
    raw = server("2022", sku=407, kms=OWN, reach={f"{OWN}:1688": 0})
    for ctx in (named(provider="generic"), context("generic")):
        found, _ = judged(raw, ctx)
        assert found["azure-edition-elsewhere"].summary == (
            "This is Datacenter: Azure Edition, which verifies that it runs in Azure through the "
            "metadata service; the server is not known to run in Azure."
        )


def test_the_providers_dns_and_routes_do_not_lead_to_a_host_of_ones_own() -> None:
    """A plan added the provider's name servers for a name that they cannot know."""
    agreed = frozenset({"add-dns", "add-route"})
    raw = server(
        "2019", licensed=False, kms=OWN, reach={f"{OWN}:1688": UNRESOLVED}, dns=["10.0.0.10"]
    )
    found, plan = judged(raw, named(consent=agreed))
    assert "dns-not-provider" not in found
    assert "DNS servers:" not in found["kms-name-unresolved"].remedy
    assert (found["kms-name-unresolved"].repair, plan.steps) == ("manual", ())
    raw = server("2019", licensed=False, kms=OWN, reach={f"{OWN}:1688": TIMEOUT}, routes=[
        ["0.0.0.0", "0.0.0.0", "10.0.0.1"]
    ])  # fmt: skip
    found, plan = judged(raw, named(consent=agreed))
    assert "provider-route-missing" not in found
    assert not [step for step in plan.steps if step.do == "add-route"]


def test_the_providers_dns_and_routes_lead_to_a_host_of_its_own_that_is_named() -> None:
    """--kms-host takes the provider's own names too, such as that of another data centre."""
    asked = {"kms1.tencentyun.com:1688": UNRESOLVED}
    raw = server("2019", licensed=False, kms="kms1.tencentyun.com", reach=asked, dns=["10.0.0.10"])
    found, plan = judged(raw, named("kms1.tencentyun.com", consent=frozenset({"add-dns"})))
    assert "dns-not-provider" in found
    assert plan.steps[0].do == "add-dns"


@pytest.mark.parametrize(
    ("dns", "told"),
    [(["183.60.83.19"], False), (["10.0.0.10"], True), (["10.0.0.10", "183.60.83.19"], True)],
)
def test_the_providers_dns_is_advised_where_it_is_not_asked_already(
    dns: list[str], told: bool
) -> None:
    """The first name server's "no" is final."""
    asked = {f"{host}:1688": UNRESOLVED for host in (CLOUDS_HOST, "kms1.tencentyun.com")}
    raw = server("2019", licensed=False, reach=asked, dns=dns)
    found, _ = judged(raw, context())
    assert ("Use the provider's DNS servers" in found["kms-name-unresolved"].remedy) is told


def test_the_remedy_of_an_emulator_names_the_operators_host() -> None:
    raw = server("2019", kms="127.0.0.2", reach={f"{OWN}:1688": 0})
    found, _ = judged(raw, named())
    assert "the one named with --kms-host" in found["emulator-suspected"].remedy
    assert "the provider's" not in found["emulator-suspected"].remedy


def test_a_licence_of_active_directory() -> None:
    raw = server("2019", kms=None, reach={f"{OWN}:1688": 0})
    raw["products"][0]["VLActivationType"] = 1
    found, _ = judged(raw, named())
    assert found["licensed-by-other-kms"].summary == (
        "Windows is licensed through Active Directory, not by the KMS host named with --kms-host "
        "(kms.corp.example:1688)."
    )


def test_the_script_for_a_person_names_the_operators_host() -> None:
    """It said: activation of this server with Tencent Cloud."""
    ask = new_request("standalone", named().knowledge.profile, id="0" * 16).ask
    assert ask.title == "kms.corp.example:1688"


@pytest.mark.parametrize(
    ("provider", "host"), [("tencent", "KMS2.TENCENTYUN.COM"), ("otc", "Kms.OTC-service.com.")]
)
def test_a_host_in_the_clouds_zone_keeps_its_name_servers_in_any_spelling(
    provider: str, host: str
) -> None:
    profile = load_profile(provider).with_kms_hosts((HostPort(host),))
    assert profile.dns == load_profile(provider).dns != ()


def test_an_address_keeps_the_route_that_leads_to_it() -> None:
    tencent = load_profile("tencent")
    assert tencent.with_kms_hosts((HostPort("169.254.0.55"),)).routes == tencent.routes != ()
    assert tencent.with_kms_hosts((HostPort("10.1.2.3"), HostPort("fd00::5"))).routes == ()


ENTITLEMENT = {"license-byol", "image-not-entitled", "entitlement-unknown"}
IMPORTED = {"img-x": Image(type="PRIVATE_IMAGE", source="EXTERNAL_IMPORT")}
NOT_COVERED = [
    ("aws", {"license": "RunInstances:0800"}),
    ("aws", {"license": "BYOL"}),
    ("tencent", {"image": "img-x", "images": IMPORTED}),
    ("tencent", {"image": "img-x", "images": {"img-x": Image(license="BYOL")}}),
    ("tencent", {"image": "img-unknown"}),
]


@pytest.mark.parametrize(("provider", "said"), NOT_COVERED)
def test_the_providers_licence_does_not_matter_to_it(provider: str, said: dict[str, Any]) -> None:
    """It refused a server on its owner's licence everything, at its owner's KMS host."""
    ctx, reach = replace(named(provider=provider), **said), {f"{OWN}:1688": CONNECTED}
    licensed = judging(server("2019", kms=OWN, reach=reach, metadata={}), ctx)
    assert set(licensed.found) & ENTITLEMENT == set()
    assert licensed.healthy
    other = judging(server("2019", kms=OWN, licensed=False, reach=reach, metadata={}), ctx)
    assert other.steps == ["activate"]


@pytest.mark.parametrize(
    "host", [CLOUDS_HOST, "x.tencentyun.com", "169.254.0.55", "azkms.core.windows.net"]
)
def test_it_does_where_the_host_named_is_a_clouds(host: str) -> None:
    ctx = replace(named(host), image="img-x", images=IMPORTED)
    seen = judging(server("2019", kms=host, reach={f"{host}:1688": CONNECTED}), ctx)
    assert "image-not-entitled" in seen.of("error")


def test_another_companys_licence_is_not_taken_over_because_the_provider_has_one() -> None:
    """The image is a public one, which says nothing of the host named."""
    raw = server("2019", kms="kms-old.corp.example", reach={f"{OWN}:1688": CONNECTED})
    seen = judging(raw, named())
    assert (seen.steps, seen.asks_for) == ([], ["--allow move-kms"])
    agreed = judging(raw, named(consent=frozenset({"move-kms"})))
    assert agreed.steps == ["set-kms-host", "activate"]
    overridden = judging(raw, named(override_entitlement="ticket 4711"))
    assert overridden.asks_for == ["--allow move-kms"]
