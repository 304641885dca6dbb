"""Servers that came from elsewhere, clouds that are alike, hosts that DNS or metadata names."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from servers import KMS, KMS1, OTHER_KMS, REFUSED, TIMEOUT, context, facts_of, product, server

from volact.core.assessment import assess
from volact.core.assessment.hosts import owners
from volact.core.context import Context
from volact.core.detect import Detection, detect
from volact.core.findings import diagnose
from volact.core.plan import make_plan
from volact.core.rows import license_row
from volact.knowledge.load import load_profile, profile_names
from volact.model.finding import Finding
from volact.model.profile import HostPort, Profile
from volact.model.step import Plan

AZURE_TAG = "7783-7084-3265-9085-8269-3286-77"


def profiles() -> tuple[Profile, ...]:
    return tuple(load_profile(name) for name in profile_names())


def ctx(provider: str = "tencent") -> Context:
    return replace(context(provider), clouds=profiles())


def found(raw: dict[str, Any], context: Context) -> dict[str, Finding]:
    return {finding.id: finding for finding in diagnose(assess(facts_of(raw), context))}


def plan(raw: dict[str, Any], context: Context) -> Plan:
    facts = facts_of(raw)
    return make_plan(assess(facts, context), diagnose(assess(facts, context)))


# migration


@pytest.mark.parametrize(
    ("host", "cloud", "words"),
    [
        ("azkms.core.windows.net", ["azure"], "of Microsoft Azure"),
        ("20.118.99.224", ["azure"], "of Microsoft Azure"),
        ("169.254.169.250", ["aws", "jd"], "of Amazon Web Services or JD Cloud"),
        ("kms.ovh.net", ["ovh"], "of OVHcloud"),
        ("hb06.kms.ucloud.cn", ["ucloud"], "of UCloud"),
        ("kms.corp.example", [], "by kms.corp.example:1688, not"),
    ],
)
def test_both_clouds_and_the_date_are_named(host: str, cloud: list[str], words: str) -> None:
    finding = found(server("2019", kms=host), ctx())["licensed-by-other-kms"]
    assert finding.evidence["clouds"] == cloud
    assert (finding.evidence["provider"], finding.evidence["source"]) == ("tencent", "service")
    assert finding.evidence["ends"] == "2026-07-27T10:00:00Z"
    assert words in finding.summary
    assert finding.summary.endswith(
        "not by a KMS host of Tencent Cloud; without that host the licence ends on 2026-07-27."
    )


def test_a_server_is_retargeted_only_where_the_new_host_is_reached() -> None:
    steps = plan(server("2019", kms=OTHER_KMS), ctx()).steps
    assert [step.do for step in steps] == ["set-kms-host", "activate"]
    assert steps[1].params["unless_failed"] == ["set-kms-host"]
    silent = {f"{KMS}:1688": REFUSED, f"{KMS1}:1688": REFUSED}
    assert plan(server("2019", kms=OTHER_KMS, reach=silent), ctx()).steps == ()


def test_the_licence_that_ends_first_gives_the_date() -> None:
    both = [
        product("2019", kms=OTHER_KMS, ID="late"),
        product("2019", kms=OTHER_KMS, ID="early", GracePeriodRemaining=1440),
    ]
    raw = server("2019", kms=OTHER_KMS, products=both)
    assert found(raw, ctx())["licensed-by-other-kms"].evidence["ends"] == "2026-02-01T08:00:00Z"


def test_an_unknown_host_has_no_owner() -> None:
    assert owners(HostPort("kms.corp.example"), profiles()) == ()


# which layer names the host


@pytest.mark.parametrize(
    ("changes", "host", "source"),
    [
        ({}, f"{KMS}:1688", "service"),
        ({"registry__policy_machine": KMS1}, f"{KMS1}:1688", "policy"),
        ({"products": [product("2019", kms=KMS1)]}, f"{KMS1}:1688", "product"),
        (
            {
                "kms": None,
                "products": [
                    product("2019", kms=None, DiscoveredKeyManagementServiceMachineName=KMS)
                ],
            },
            f"{KMS}:1688",
            "dns",
        ),
        (
            {
                "kms": None,
                "licensing__lookup_domain": "corp.example",
                "products": [
                    product("2019", kms=None, DiscoveredKeyManagementServiceMachineName=KMS)
                ],
            },
            f"{KMS}:1688",
            "lookup-domain",
        ),
        (
            {
                "kms": None,
                "events": {
                    "12288": ["2026-01-31T07:00:00Z", ["0x00000000", "0", f"{KMS}:1688"]],
                    "12289": ["2026-01-31T07:00:01Z", ["0x00000000", "0", "1"]],
                },
            },
            f"{KMS}:1688",
            "cached",
        ),
    ],
)
def test_the_row_says_which_layer_names_the_host(
    changes: dict[str, Any], host: str, source: str
) -> None:
    row = license_row(assess(facts_of(server("2019", **changes)), ctx()))
    assert (row.kms_host, row.kms_source) == (host, source)


def test_a_wrong_host_that_dns_found_is_named_with_its_layer() -> None:
    keyed = product("2019", kms=None, DiscoveredKeyManagementServiceMachineName=OTHER_KMS)
    finding = found(server("2019", kms=None, products=[keyed]), ctx())["kms-host-wrong"]
    assert finding.evidence["current"] == ""
    assert finding.evidence["effective"] == f"{OTHER_KMS}:1688"
    assert finding.evidence["source"] == "dns"
    assert "DNS gives kms.elsewhere.example:1688" in finding.summary


# metadata


def alibaba(named: str, **changes: Any) -> dict[str, Any]:
    return server(
        "2019",
        **{"kms": "kms.cloud.aliyuncs.com", **changes},
        metadata={"kms-server": named},
        routes=[],
        dns=[],
    )


def test_the_host_that_metadata_names_goes_first() -> None:
    raw = alibaba(
        "kms7.cloud.aliyuncs.com",
        licensed=False,
        kms=OTHER_KMS,
        reach={"kms.cloud.aliyuncs.com:1688": 0, "kms7.cloud.aliyuncs.com:1688": 0},
    )
    hosts = plan(raw, ctx("alibaba")).steps[0].params["hosts"]
    assert hosts == ["kms7.cloud.aliyuncs.com:1688", "kms.cloud.aliyuncs.com:1688"]


@pytest.mark.parametrize("named", ["kms.elsewhere.example", "http://x/", "", "cloud.aliyuncs.com"])
def test_metadata_may_not_point_anywhere_else(named: str) -> None:
    raw = alibaba(named, licensed=False, kms=OTHER_KMS, reach={"kms.cloud.aliyuncs.com:1688": 0})
    hosts = plan(raw, ctx("alibaba")).steps[0].params["hosts"]
    assert hosts == ["kms.cloud.aliyuncs.com:1688"]


# which cloud


def test_the_tag_tells_azure_and_the_host_which() -> None:
    china = server("2019", kms="kms.core.chinacloudapi.cn", os__maker="Microsoft Corporation")
    china["os"]["asset"] = AZURE_TAG
    assert detect(facts_of(china), profiles()) == Detection("azure-china")


def test_where_the_host_does_not_tell_the_candidates_are_named() -> None:
    somewhere = server("2019", kms=None, os__maker="Microsoft Corporation")
    somewhere["os"]["asset"] = AZURE_TAG
    candidates = ("azure", "azure-china", "azure-us-gov")
    assert detect(facts_of(somewhere), profiles()) == Detection(None, candidates)


def test_a_kms_host_alone_tells_no_cloud() -> None:
    raw = server("2019", kms="169.254.169.250", os__maker="Other Ltd.")
    assert detect(facts_of(raw), profiles()) == Detection(None)


# a KMS host of one's own, left to DNS


def own(licensed: bool = False, **changes: Any) -> dict[str, Any]:
    host = changes.pop("kms", "kms.corp.example")
    reach = changes.pop("reach", {f"{host}:1688": 0} if host else {})
    return server(
        "2019", licensed=licensed, kms=host, reach=reach, metadata={}, routes=[], dns=[], **changes
    )


def test_a_host_of_ones_own_is_always_accepted() -> None:
    assert assess(facts_of(own(licensed=True)), ctx("generic")).standing == "accepted"
    assert [step.do for step in plan(own(), ctx("generic")).steps] == ["activate"]


def test_without_a_host_windows_asks_dns() -> None:
    assert [step.do for step in plan(own(kms=None), ctx("generic")).steps] == ["activate"]


def test_a_host_of_ones_own_that_does_not_answer() -> None:
    raw = own(reach={"kms.corp.example:1688": REFUSED})
    finding = found(raw, ctx("generic"))["kms-unreachable"]
    assert finding.evidence["hosts"] == {"kms.corp.example:1688": "refused"}
    assert plan(raw, ctx("generic")).steps == ()


def test_a_part_of_a_cloud_accepts_its_own_hosts_only() -> None:
    raw = own(licensed=True, kms="kms.cloud.ovh.net", reach={"kms.ovh.net:1688": 0})
    assert "kms-host-wrong" not in found(raw, ctx("ovh"))
    assert "kms-host-wrong" in found(raw, ctx("ovh/dedicated"))


# routes to link-local KMS hosts


def oracle(*routes: list[str], **changes: Any) -> dict[str, Any]:
    return server(
        "2019",
        licensed=False,
        kms="169.254.169.253",
        reach={"169.254.169.253:1688": TIMEOUT},
        metadata={},
        dns=[],
        routes=[["0.0.0.0", "0.0.0.0", "10.0.0.1"], *routes],
        **changes,
    )


def test_a_route_by_way_of_the_servers_own_address() -> None:
    finding = found(oracle(addresses=["fe80::1", "10.0.0.7"]), ctx("oracle"))
    remedy = finding["provider-route-missing"].remedy
    assert "route add 169.254.169.253 mask 255.255.255.255 10.0.0.7 -p" in remedy


@pytest.mark.parametrize(
    ("route", "missing"),
    [
        (["169.254.169.253", "255.255.255.255", "10.0.0.7"], False),
        (["169.254.0.0", "255.255.0.0", "10.0.0.1"], False),
        (["169.254.169.254", "255.255.255.255", "10.0.0.1"], True),
        (["10.0.0.0", "255.0.0.0", "10.0.0.1"], True),
    ],
)
def test_a_wider_route_leads_there_too(route: list[str], missing: bool) -> None:
    assert ("provider-route-missing" in found(oracle(route), ctx("oracle"))) is missing
